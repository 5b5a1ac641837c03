/**
 * What the wizard looks at while it asks, in one place so that tests can answer instead. Only reads: whatever comes of
 * it, nothing was changed.
 */
import { HcmError } from '../../../protocol/errors.ts';
import type { Target } from '../../../protocol/target.ts';
import type { Clock } from '../../../tunnel/clock.ts';
import { dialTarget } from '../../../tunnel/target-dialer.ts';
import { findApp, listApps, listSlots, type App } from '../../arm/apps.ts';
import type { Azure } from '../../arm/azure.ts';
import { isRemoving, listNamespaces, namespaceNameOf, type Namespace } from '../../arm/namespaces.ts';
import { getProvider, type Provider } from '../../arm/providers.ts';
import { listResourceGroups, type ResourceGroup } from '../../arm/resource-groups.ts';
import { isSameRelay, listSiteRelays } from '../../arm/site-relays.ts';
import { listConnections } from '../connections.ts';
import type { ConnectionView } from '../connection-view.ts';
import { plainLocation } from '../namespace-place.ts';
import { checkName } from '../namespaces.ts';
import { checkPlanLimit } from '../plans.ts';
import { connectionOf, namespaceName, type SetupAnswers } from './answers.ts';
import type { SetupExisting } from './setup-plan.ts';

/** Whoever waits at a prompt should not have to wait for long. */
const PROBE_TIMEOUT_MS = 4_000;

/** Whether the target answers, asked from this machine. */
export type Probe =
  { readonly reached: true; readonly ms: number } | { readonly reached: false; readonly why: string };

export interface SetupReader {
  /** It is the emulator, and costs nothing. */
  readonly local: boolean;
  apps(): Promise<App[]>;
  slots(app: App): Promise<App[]>;
  /** By name or resource id. @throws HcmError HCM_RESOURCE_NOT_FOUND. */
  findApp(name: string, slot: string | undefined): Promise<App>;
  /** Why the app's plan takes no hybrid connection at all; undefined when it takes some. */
  planFault(app: App): Promise<string | undefined>;
  /** Those that are not being deleted. */
  namespaces(): Promise<Namespace[]>;
  /** The name in a name or a host. @throws HcmError for a host of another cloud. */
  namespaceName(nameOrHost: string): string;
  connections(namespace: Namespace): Promise<ConnectionView[]>;
  resourceGroups(): Promise<ResourceGroup[]>;
  /** Where namespaces can be, as Azure writes it (`westeurope`); empty where it does not say. */
  locations(): Promise<string[]>;
  /** Why nobody can have the name; undefined when it is free, or when only Azure will tell. */
  nameFault(name: string): Promise<string | undefined>;
  probe(target: Target): Promise<Probe>;
  /** Looks at what the answers name. @throws HcmError HCM_PLAN_LIMIT, HCM_PLAN_UNSUPPORTED: it would not work. */
  existing(answers: SetupAnswers): Promise<SetupExisting>;
}

export function createSetupReader(azure: Azure, { clock }: { clock: Clock }): SetupReader {
  return {
    local: azure.cloud.local !== undefined,
    apps: () => orNone(listApps(azure)),
    slots: (app) => (app.planId === undefined ? Promise.resolve([]) : listSlots(azure, app)),
    findApp: (name, slot) => findApp(azure, name, { slot }),
    planFault: (app) => planFault(azure, app),
    namespaces: async () => (await orNone(listNamespaces(azure))).filter((one) => !isRemoving(one)),
    namespaceName: (nameOrHost) => namespaceNameOf(azure, nameOrHost),
    connections: ({ name, resourceGroup }) => listConnections(azure, { namespace: name, resourceGroup }),
    resourceGroups: () => listResourceGroups(azure),
    locations: () => readLocations(azure),
    nameFault: (name) => nameFault(azure, name),
    probe: (target) => probe(target, { clock, signal: azure.signal }),
    existing: (answers) => readExisting(azure, answers),
  };
}

/** A provider that is not registered has nothing. */
async function orNone<T>(list: Promise<T[]>): Promise<T[]> {
  return (await unless(['HCM_PROVIDER_NOT_REGISTERED'], list)) ?? [];
}

async function planFault(azure: Azure, app: App): Promise<string | undefined> {
  try {
    await checkPlanLimit(azure, { app, relay: { namespace: '', connection: '' }, attached: 0 });
  } catch (error) {
    if (!(error instanceof HcmError)) throw error;
    if (error.code === 'HCM_PLAN_UNSUPPORTED') return error.message;
    // Full for a new one, but perhaps the one that will be chosen is among those it has.
    if (error.code !== 'HCM_PLAN_LIMIT') throw error;
  }
  return undefined;
}

async function readLocations(azure: Azure): Promise<string[]> {
  return ((await readProvider(azure))?.locations.get('namespaces') ?? []).map(plainLocation).sort();
}

/** Undefined where it may not be read. */
function readProvider(azure: Azure): Promise<Provider | undefined> {
  return unless(['HCM_AZURE_FORBIDDEN'], getProvider(azure, 'Microsoft.Relay'));
}

async function nameFault(azure: Azure, name: string): Promise<string | undefined> {
  const found = await unless(['HCM_PROVIDER_NOT_REGISTERED', 'HCM_AZURE_FORBIDDEN'], checkName(azure, name));
  if (found === undefined || found.available) return undefined;
  return /^NameInUse$/i.test(found.reason)
    ? `Somebody has the name "${name}" already: names of namespaces are unique in all of Azure.`
    : `Azure refuses the name "${name}": ${found.message}`;
}

async function probe(
  target: Target,
  { clock, signal }: { clock: Clock; signal: AbortSignal | undefined },
): Promise<Probe> {
  const sinceMs = clock.monotonicMs();
  try {
    const socket = await dialTarget(target, { clock, signal, timeoutMs: PROBE_TIMEOUT_MS });
    socket.destroy();
    return { reached: true, ms: Math.round(clock.monotonicMs() - sinceMs) };
  } catch (error) {
    if (error instanceof HcmError && error.code.startsWith('HCM_TARGET_')) {
      return { reached: false, why: error.message };
    }
    throw error;
  }
}

async function readExisting(azure: Azure, answers: SetupAnswers): Promise<SetupExisting> {
  const { app, namespace } = answers;
  const name = { namespace: namespaceName(namespace), connection: answers.connection };
  const [connections, attached] = await Promise.all([
    namespace.kind === 'new' ? [] : listConnections(azure, { namespace: name.namespace }),
    app === undefined ? [] : listSiteRelays(azure.in(app.subscriptionId), app),
  ]);
  if (app !== undefined && !attached.some((relay) => isSameRelay(relay, name))) {
    await checkPlanLimit(azure, { app, relay: name, attached: attached.length });
  }
  const wanted = connectionOf(answers).toLowerCase();
  const found = connections.find((one) => `${one.namespace}/${one.name}`.toLowerCase() === wanted);
  const provider = namespace.kind === 'new' ? await readProvider(azure) : undefined;
  const { subscriptionId } = azure;
  return {
    subscriptionId,
    registered: provider?.registered !== false,
    connection: found !== undefined,
    attached,
  };
}

async function unless<T>(codes: readonly string[], result: Promise<T>): Promise<T | undefined> {
  try {
    return await result;
  } catch (error) {
    if (error instanceof HcmError && codes.includes(error.code)) return undefined;
    throw error;
  }
}
