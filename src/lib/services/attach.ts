/**
 * Attaches a hybrid connection to an app or a slot, and takes it off again. Looks before it writes: what fits already is
 * left alone, and what Azure would refuse or silently break is said first.
 */
import { HcmError } from '../../protocol/errors.ts';
import { isLoopbackName } from '../../protocol/relay-hosts.ts';
import { formatTarget, type Target } from '../../protocol/target.ts';
import { targetFromUserMetadata } from '../../protocol/user-metadata.ts';
import { appName, findApp, type App } from '../arm/apps.ts';
import type { Azure } from '../arm/azure.ts';
import type { HybridConnection } from '../arm/connections.ts';
import type { Namespace } from '../arm/namespaces.ts';
import { ownerName, sameId, type ConnectionRef } from '../arm/references.ts';
import { listKeys, type RuleKeys } from '../arm/rules.ts';
import {
  deleteSiteRelay,
  isSameRelay,
  listSiteRelays,
  putSiteRelay,
  type SiteRelay,
} from '../arm/site-relays.ts';
import { readSendKey } from './apps.ts';
import { findConnection, type WantedConnection } from './connection-access.ts';
import { ensureDefaultRule } from './default-rules.ts';
import { checkPlanLimit, explainPlanRefusal } from './plans.ts';
import { matchKey } from './send-keys.ts';
import { Steps } from './steps.ts';

export interface AttachRequest {
  /** Its name or its resource id. */
  app: string;
  slot?: string | undefined;
  /** Of the app. */
  resourceGroup?: string | undefined;
  connection: WantedConnection;
  /** Writes even what seems to fit: the key of an app cannot always be read. */
  force?: boolean;
  /** Default: the one in the connection's metadata. Given where that is about to be changed to it. */
  target?: Target | undefined;
}

export interface AttachResult {
  changed: boolean;
  app: App;
  relay: SiteRelay;
  /** Online now: without one, the app reaches nothing. */
  listenerCount: number;
  /** What will not work, or not as one may think. */
  warnings: readonly string[];
}

/**
 * Resolves when the app has the connection with its target and a send key that is valid; `changed` is false when it had.
 * @throws HcmError HCM_NAME_INVALID, HCM_RESOURCE_NOT_FOUND, HCM_METADATA_INVALID, HCM_PLAN_LIMIT, HCM_PLAN_UNSUPPORTED,
 * HCM_AZURE_FORBIDDEN, HCM_OPERATION_FAILED, and what the calls give.
 */
export async function attachConnection(azure: Azure, request: AttachRequest): Promise<AttachResult> {
  checkName(request.connection);
  const [app, { namespace, connection }] = await Promise.all([
    findApp(azure, request.app, request),
    findConnection(azure, request.connection),
  ]);
  const target = request.target ?? readTarget(connection);
  const there = azure.in(app.subscriptionId);
  const attached = await listSiteRelays(there, app);
  const name = { namespace: namespace.name, connection: connection.connection };
  const present = attached.find((relay) => isSameRelay(relay, name));
  const room = { app, relay: name, attached: attached.length };
  if (present === undefined) await checkPlanLimit(there, room);

  const steps = new Steps(azure);
  return steps.guard(async () => {
    const keyName = await ensureDefaultRule(azure, connection, { right: 'Send', steps });
    const keys = await listKeys(azure, connection, keyName);
    const relay = { ...name, relayId: connection.id, target, keyName, suffix: suffixOf(namespace) };
    const { listenerCount } = connection;
    const result = { app, relay, listenerCount, warnings: attachWarnings(app, connection, target) };
    if (present !== undefined && request.force !== true && isSameRecord(present, relay)) {
      if (await hasValidKey(there, { app, relay: present }, keys)) return { ...result, changed: false };
    }
    const doing = `attaching "${ownerName(connection)}" to "${appName(app)}"`;
    await steps.run({ doing, done: `attached "${ownerName(connection)}"` }, () =>
      putSiteRelay(there, app, { ...relay, key: keys.primaryKey }).catch((error: unknown) => {
        throw explainPlanRefusal(error, room);
      }),
    );
    await checkAttached(there, app, relay);
    return { ...result, changed: true };
  });
}

/** The record of the app says what it should; only the key is not in it. */
function isSameRecord(one: SiteRelay, other: SiteRelay): boolean {
  return (
    sameId(one.relayId, other.relayId) &&
    formatTarget(one.target).toLowerCase() === formatTarget(other.target).toLowerCase() &&
    one.keyName.toLowerCase() === other.keyName.toLowerCase() &&
    one.suffix.toLowerCase() === other.suffix.toLowerCase()
  );
}

/** Either of the two keys will do. A key that nobody may read is taken for valid: `force` writes it anew. */
async function hasValidKey(
  azure: Azure,
  attachment: { app: App; relay: SiteRelay },
  keys: RuleKeys,
): Promise<boolean> {
  const sent = await readSendKey(azure, attachment);
  return sent === undefined || matchKey(sent.key, keys) !== 'stale';
}

/** What App Service answers to the PUT says little; what it keeps is what counts. */
async function checkAttached(azure: Azure, app: App, relay: SiteRelay): Promise<void> {
  const kept = (await listSiteRelays(azure, app)).find((one) => isSameRelay(one, relay));
  if (kept !== undefined && isSameRecord(kept, relay)) return;
  const seen =
    kept === undefined ? 'nothing' : `${formatTarget(kept.target)} with the rule "${kept.keyName}"`;
  throw new HcmError(
    'HCM_OPERATION_FAILED',
    `"${relay.namespace}/${relay.connection}" was attached to "${appName(app)}", and App Service has kept ${seen}.`,
    { details: { next: `hcm app list --namespace ${relay.namespace}` } },
  );
}

export interface DetachRequest {
  app: string;
  slot?: string | undefined;
  resourceGroup?: string | undefined;
  /** It need not exist any more. */
  connection: Pick<WantedConnection, 'namespace' | 'name'>;
}

export interface DetachResult {
  changed: boolean;
  app: App;
  relay: Pick<SiteRelay, 'namespace' | 'connection'>;
}

/** `changed` is false when it was not attached. @throws HcmError HCM_RESOURCE_NOT_FOUND for the app. */
export async function detachConnection(azure: Azure, request: DetachRequest): Promise<DetachResult> {
  const app = await findApp(azure, request.app, request);
  const there = azure.in(app.subscriptionId);
  const [namespace = ''] = request.connection.namespace.split(/[.:]/, 1);
  const wanted = { namespace, connection: request.connection.name };
  const relay = (await listSiteRelays(there, app)).find((one) => isSameRelay(one, wanted));
  if (relay === undefined) return { changed: false, app, relay: wanted };
  return { changed: await deleteSiteRelay(there, app, relay), app, relay };
}

/** App Service puts the name into a path; what it makes of a slash in there, nobody has written down. */
function checkName({ namespace, name }: WantedConnection): void {
  if (!name.includes('/')) return;
  throw new HcmError(
    'HCM_NAME_INVALID',
    `"${namespace}/${name}" cannot be attached to an app: App Service takes no "/" in the name of a hybrid connection.`,
    {
      details: { next: `hcm connection create ${namespace}/${name.replaceAll('/', '-')} --target HOST:PORT` },
    },
  );
}

/** App Service learns the target from the connection's metadata and shows no connection without it. */
export function readTarget(connection: HybridConnection): Target {
  const name = ownerName(connection);
  const details = { next: `hcm connection update ${name} --target HOST:PORT` };
  let target: Target | undefined;
  try {
    target = targetFromUserMetadata(connection.userMetadata);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new HcmError('HCM_METADATA_INVALID', `The hybrid connection "${name}" names no target. ${why}`, {
      details,
      cause: error,
    });
  }
  if (target !== undefined) return target;
  throw new HcmError(
    'HCM_METADATA_INVALID',
    `The hybrid connection "${name}" names no target: its metadata has no endpoint, which App Service needs.`,
    { details },
  );
}

/** `.servicebus.windows.net`, as the namespace's own host says; with a port where it has one. */
function suffixOf({ name, host }: Namespace): string {
  return host.slice(name.length);
}

/** What Azure accepts and what will not work. */
export function attachWarnings(
  app: App,
  connection: ConnectionRef & Pick<HybridConnection, 'requiresClientAuthorization'>,
  target: Target,
): string[] {
  const name = ownerName(connection);
  const found = [
    app.linux &&
      isLoopbackName(target.host) &&
      `On Linux, "${target.host}" means the app itself: it will not reach the target. Name the target otherwise, such as by the host name of its machine.`,
    app.windowsContainer && `Windows containers have no hybrid connections: "${app.name}" will not reach it.`,
    !connection.requiresClientAuthorization &&
      `"${name}" takes senders without a key, and App Service works only with one that asks for it; a connection gets that when it is made.`,
  ];
  return found.filter((text) => typeof text === 'string');
}
