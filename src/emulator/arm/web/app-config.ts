/**
 * What clients read and write of an app's configuration: `web`, app settings, lists that are empty here, and the
 * publishing profile that `az webapp show` reads.
 */
import { recordIn } from '../body.ts';
import type { ArmContext } from '../context.ts';
import { locationDisplayName } from '../locations.ts';
import type { ArmAnswer, ArmRequest, ArmRoute } from '../router.ts';
import { hostOf } from './app-body.ts';
import { requireApp, type AppResource } from './app-resource.ts';
import { mergeWebConfig, webConfig } from './web-config.ts';
import { APP_PATTERNS, listOf, ok } from './web-request.ts';

export function appConfigRoutes(context: ArmContext): ArmRoute[] {
  const { state } = context;
  return APP_PATTERNS.flatMap((app) => {
    const change = (request: ArmRequest): ArmAnswer => {
      const resource = requireApp(state, request.params);
      mergeWebConfig(resource.app, recordIn(request.body, 'properties'));
      touch(context, resource);
      return ok(web(resource));
    };
    const answer = (
      pattern: string,
      method: string,
      bodyOf: (resource: AppResource) => object,
    ): ArmRoute => ({
      method,
      pattern: `${app}/config${pattern}`,
      handle: ({ params }) => ok(bodyOf(requireApp(state, params))),
    });
    return [
      {
        method: 'GET',
        pattern: `${app}/config`,
        handle: ({ params }) => listOf([web(requireApp(state, params))]),
      },
      answer('/web', 'GET', web),
      { method: 'PUT', pattern: `${app}/config/web`, handle: change },
      { method: 'PATCH', pattern: `${app}/config/web`, handle: change },
      answer('/appsettings/list', 'POST', ({ app: { appSettings }, ...rest }) =>
        config(rest, 'appsettings', appSettings),
      ),
      {
        method: 'PUT',
        pattern: `${app}/config/appsettings`,
        handle: (request) => {
          const resource = requireApp(state, request.params);
          const settings = Object.entries(recordIn(request.body, 'properties')).map(([name, value]) => [
            name,
            String(value),
          ]);
          resource.app.appSettings = Object.fromEntries(settings) as Record<string, string>;
          touch(context, resource);
          return ok(config(resource, 'appsettings', resource.app.appSettings));
        },
      },
      {
        method: 'POST',
        pattern: `${app}/publishxml`,
        handle: ({ params }) => ({
          status: 200,
          headers: { 'Content-Type': 'application/xml' },
          body: publishingProfile(requireApp(state, params)),
        }),
      },
      answer('/connectionstrings/list', 'POST', (resource) => config(resource, 'connectionstrings', {})),
      answer('/metadata/list', 'POST', (resource) => config(resource, 'metadata', {})),
      answer('/slotConfigNames', 'GET', (resource) =>
        config(resource, 'slotConfigNames', {
          ...{ connectionStringNames: null, appSettingNames: null, azureStorageConfigNames: null },
        }),
      ),
    ];
  });
}

function web(resource: AppResource): object {
  return config(resource, 'web', webConfig(resource.app, publishingUser(resource)));
}

function publishingUser({ site, slot }: AppResource): string {
  return slot === undefined ? `$${site.name}` : `$${site.name}__${slot.name}`;
}

/** Names of apps need no escaping. There is no password: nothing can be published. */
function publishingProfile(resource: AppResource): string {
  const url = `ftps://${hostOf(resource, 'ftp.')}/site/wwwroot`;
  const profile = `profileName="${resource.site.name} - FTP" publishMethod="FTP" publishUrl="${url}"`;
  const user = publishingUser(resource);
  return `<publishData><publishProfile ${profile} userName="${user}" userPWD=""></publishProfile></publishData>`;
}

/** The type is the same for slots, as with their hybrid connections. */
function config(
  { id, site, slot }: Pick<AppResource, 'id' | 'site' | 'slot'>,
  name: string,
  properties: object,
) {
  const appName = slot === undefined ? site.name : `${site.name}/${slot.name}`;
  return {
    id: `${id}/config/${name}`,
    // `web` goes by the app's name. [rec]
    name: name === 'web' ? appName : name,
    type: 'Microsoft.Web/sites/config',
    location: locationDisplayName((slot ?? site).location),
    properties,
  };
}

function touch(context: ArmContext, { app }: AppResource): void {
  app.modifiedAt = new Date(context.nowMs()).toISOString();
  context.changed();
}
