/** Microsoft.Web: App Service plans, apps, and the hybrid connections attached to them. */
import { textIn } from '../body.ts';
import type { ArmContext, ProviderFactory } from '../context.ts';
import { LOCATION_NAMES } from '../locations.ts';
import type { ArmAnswer, ArmProvider, ArmResourceType, ArmRoute } from '../router.ts';
import { appConfigRoutes } from './app-config.ts';
import { appRelayRoutes } from './app-relays.ts';
import { appRoutes } from './apps.ts';
import { planRelayRoutes } from './plan-relays.ts';
import { planRoutes } from './plans.ts';
import { hostNameTaken } from './web-error.ts';
import { ok, SUBSCRIPTION, WEB_HEADERS } from './web-request.ts';

/** Of all that is here, newest first. */
const API_VERSIONS: readonly string[] = [
  ...['2025-05-01', '2025-03-01', '2024-11-01', '2024-04-01', '2023-12-01', '2023-01-01', '2022-09-01'],
  ...['2022-03-01', '2021-03-01', '2021-02-01', '2021-01-15', '2021-01-01', '2020-12-01', '2020-10-01'],
  ...['2020-09-01', '2020-06-01', '2019-08-01', '2018-11-01', '2018-02-01', '2016-09-01', '2016-08-01'],
];

const SOMEWHERE: ArmResourceType = { apiVersions: API_VERSIONS, locations: LOCATION_NAMES };
const NOWHERE: ArmResourceType = { apiVersions: API_VERSIONS, locations: [] };

export const createWebProvider: ProviderFactory = (context): ArmProvider => ({
  namespace: 'Microsoft.Web',
  types: {
    serverFarms: SOMEWHERE,
    sites: SOMEWHERE,
    'sites/slots': SOMEWHERE,
    'sites/config': NOWHERE,
    'sites/slots/config': NOWHERE,
    'sites/hybridConnectionRelays': NOWHERE,
    'sites/hybridConnectionNamespaces/relays': NOWHERE,
    'sites/slots/hybridConnectionNamespaces/relays': NOWHERE,
    checkNameAvailability: NOWHERE,
  },
  routes: [
    ...planRelayRoutes(context),
    ...planRoutes(context),
    ...appRelayRoutes(context),
    ...appConfigRoutes(context),
    ...appRoutes(context),
    nameRoute(context),
  ].map(withHeaders),
});

/** Names of apps are unique in all of Azure; of slots and other things nothing is taken here. */
function nameRoute({ state }: ArmContext): ArmRoute {
  return {
    method: 'POST',
    pattern: `${SUBSCRIPTION}/checkNameAvailability`,
    handle: ({ body }) => {
      const [name = '', type = ''] = [textIn(body, 'name'), textIn(body, 'type')];
      const isSite = /^(?:site|microsoft\.web\/sites)$/i.test(type);
      const taken = state.sites.find((site) => isSite && site.name.toLowerCase() === name.toLowerCase());
      return ok(
        taken === undefined
          ? { nameAvailable: true, reason: '', message: '' }
          : { nameAvailable: false, reason: 'AlreadyExists', message: hostNameTaken(taken.name) },
      );
    },
  };
}

function withHeaders(route: ArmRoute): ArmRoute {
  return {
    ...route,
    handle: async (request) => {
      const answer = await route.handle(request);
      const typed = answer.body === undefined ? {} : { 'Content-Type': 'application/json' };
      return { ...answer, headers: { ...WEB_HEADERS, ...typed, ...answer.headers } } satisfies ArmAnswer;
    },
  };
}
