/**
 * App Service's part of the emulator's document: plans, apps with their slots, and the hybrid connections attached to
 * them. Types, the seeds and the checks; what they look like on the wire is arm/web's business.
 */
import { asRecord, checkList, checkTexts, corrupt } from './state-fields.ts';

export interface SkuState {
  /** `S1`, as Azure writes it. */
  name: string;
  tier: string;
  size: string;
  family: string;
  capacity: number;
}

export interface PlanState {
  subscriptionId: string;
  resourceGroup: string;
  name: string;
  /** Without spaces and capitals: `westeurope`. */
  location: string;
  sku: SkuState;
  /** `app`, `linux`, `functionapp`, `elastic`. */
  kind: string;
  /** Linux workers. */
  reserved: boolean;
  tags: Record<string, string>;
  /** ISO 8601. */
  createdAt: string;
}

/** A hybrid connection attached to an app or a slot. */
export interface SiteRelayState {
  /** Names as in the path of the request that attached it; they win over those in its body (azure-rest-api-specs#8108). */
  namespace: string;
  name: string;
  /** The hybrid connection's resource id. */
  relayArmUri: string;
  hostname: string;
  port: number;
  sendKeyName: string;
  /** What the app would sign with. App Service answers '' for it everywhere but in the plan's listKeys. */
  sendKeyValue: string;
  /** `.servicebus.windows.net`. */
  serviceBusSuffix: string;
}

/** What an app and a slot have alike. */
export interface AppState {
  name: string;
  /** Without spaces and capitals. */
  location: string;
  /** `app`, `app,linux`, `functionapp`, `functionapp,linux` and others. */
  kind: string;
  /** The plan's resource id. */
  planId: string;
  tags: Record<string, string>;
  running: boolean;
  httpsOnly: boolean;
  clientAffinityEnabled: boolean;
  /** What a client set of `siteConfig`; what it did not set is Azure's default. */
  siteConfig: Record<string, unknown>;
  appSettings: Record<string, string>;
  relays: SiteRelayState[];
  /** ISO 8601. */
  modifiedAt: string;
}

export type SlotState = AppState;

export interface SiteState extends AppState {
  subscriptionId: string;
  resourceGroup: string;
  slots: SlotState[];
}

/** The resource id of a plan. */
export function planIdOf(plan: Pick<PlanState, 'subscriptionId' | 'resourceGroup' | 'name'>): string {
  const { subscriptionId, resourceGroup, name } = plan;
  return `/subscriptions/${subscriptionId}/resourceGroups/${resourceGroup}/providers/Microsoft.Web/serverfarms/${name}`;
}

/** A new app without connections. */
export function createApp(
  app: Pick<AppState, 'name' | 'location' | 'kind' | 'planId' | 'modifiedAt'>,
): AppState {
  return {
    ...app,
    tags: {},
    running: true,
    httpsOnly: false,
    clientAffinityEnabled: !/functionapp/i.test(app.kind),
    siteConfig: {},
    appSettings: {},
    relays: [],
  };
}

/** What is there from the start: a Standard plan `local-plan`, `local-app` with the slot `staging`, `local-func`. */
export function createWebSeeds(
  group: { subscriptionId: string; resourceGroup: string; location: string },
  nowMs: number,
): { plans: PlanState[]; sites: SiteState[] } {
  const at = new Date(nowMs).toISOString();
  const plan: PlanState = {
    ...group,
    name: 'local-plan',
    sku: { name: 'S1', tier: 'Standard', size: 'S1', family: 'S', capacity: 1 },
    kind: 'app',
    reserved: false,
    tags: {},
    createdAt: at,
  };
  const app = (name: string, kind: string): AppState =>
    createApp({ name, kind, location: group.location, planId: planIdOf(plan), modifiedAt: at });
  const site = (name: string, kind: string, slots: SlotState[]): SiteState => ({
    ...app(name, kind),
    subscriptionId: group.subscriptionId,
    resourceGroup: group.resourceGroup,
    slots,
  });
  const sites = [site('local-app', 'app', [app('staging', 'app')]), site('local-func', 'functionapp', [])];
  return { plans: [plan], sites };
}

/** @throws HcmError HCM_STATE_CORRUPT when the plans or apps of a document are not as they must be. */
export function checkWeb(document: Record<string, unknown>): void {
  for (const item of checkList(document['plans'], 'plans')) {
    const plan = asRecord(item, 'plans[]');
    checkTexts(plan, 'plans[].', ...GROUP_KEYS, 'name', 'location', 'kind', 'createdAt');
    checkTexts(asRecord(plan['sku'], 'plans[].sku'), 'plans[].sku.', 'name', 'tier');
    asRecord(plan['tags'], 'plans[].tags');
  }
  for (const item of checkList(document['sites'], 'sites')) {
    const site = checkApp(item, 'sites[]');
    checkTexts(site, 'sites[].', ...GROUP_KEYS);
    for (const slot of checkList(site['slots'], 'sites[].slots')) checkApp(slot, 'sites[].slots[]');
  }
}

const GROUP_KEYS = ['subscriptionId', 'resourceGroup'] as const;

function checkApp(value: unknown, where: string): Record<string, unknown> {
  const app = asRecord(value, where);
  checkTexts(app, `${where}.`, 'name', 'location', 'kind', 'planId', 'modifiedAt');
  for (const key of ['tags', 'siteConfig', 'appSettings']) asRecord(app[key], `${where}.${key}`);
  for (const item of checkList(app['relays'], `${where}.relays`)) {
    const relay = asRecord(item, `${where}.relays[]`);
    checkTexts(relay, `${where}.relays[].`, 'namespace', 'name', 'relayArmUri', 'hostname');
    // A key may be missing in Azure, too: such an attachment is there and cannot connect.
    if (typeof relay['sendKeyValue'] !== 'string') throw corrupt(`${where}.relays[].sendKeyValue`);
  }
  return app;
}
