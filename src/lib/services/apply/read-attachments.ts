/** What is attached to the connections of a file: at the apps that it names, and, where that matters, at all others. */
import { HcmError } from '../../../protocol/errors.ts';
import type { App } from '../../arm/apps.ts';
import type { Azure } from '../../arm/azure.ts';
import { ownerName, type ConnectionRef } from '../../arm/references.ts';
import { listSiteRelays, type SiteRelay } from '../../arm/site-relays.ts';
import { listAppConnections } from '../apps.ts';
import { mapAtMost } from '../parallel.ts';
import { SendKeys } from '../send-keys.ts';
import type { Action } from './action.ts';
import { sameApp, sameName, type Existing, type ExistingAttachment } from './existing.ts';

/** Calls in flight: quick, and far from what ARM throttles. */
const CALLS_AT_ONCE = 4;

/** At these apps. `existing` has the connections that count; each key is compared with the connection's. */
export async function readAttachments(
  azure: Azure,
  apps: readonly App[],
  namespaces: Existing['namespaces'],
): Promise<ExistingAttachment[]> {
  const distinct = apps.filter((app, index) => apps.findIndex((one) => sameApp(one, app)) === index);
  const sendKeys = new Map<string, SendKeys>();
  const keysOf = (connection: ConnectionRef) => {
    const name = ownerName(connection).toLowerCase();
    const keys = sendKeys.get(name) ?? new SendKeys(azure, connection);
    sendKeys.set(name, keys);
    return keys;
  };
  const nested = await mapAtMost(CALLS_AT_ONCE, distinct, async (app) => {
    const relays = await listSiteRelays(azure.in(app.subscriptionId), app);
    const declared = relays.filter(({ namespace }) => namespaces.has(namespace.toLowerCase()));
    return mapAtMost(1, declared, async (relay) => {
      const connection = findConnection(namespaces, relay);
      const key = connection && (await keysOf(connection).stateOf({ app, relay }));
      return { ...toAttachment(app, relay), keyIsStale: key === 'stale' };
    });
  });
  return nested.flat();
}

/**
 * With what else is attached, in the same subscription, to the connections that the plan changes or deletes. Undefined
 * when the account may not read apps.
 */
export async function withStrangers(
  azure: Azure,
  existing: Existing,
  actions: readonly Action[],
): Promise<Existing | undefined> {
  const apps = await unlessForbidden(listAppConnections(azure));
  if (apps === undefined) return undefined;
  const changed = actions.flatMap((action) =>
    action.type === 'connection' && action.change !== 'create' ? [action.connection] : [],
  );
  const known = existing.attachments;
  const strangers = apps.flatMap(({ app, connections }) =>
    connections
      .filter((relay) => changed.some((connection) => isOf(relay, connection)))
      .map((relay) => ({ ...toAttachment(app, relay), keyIsStale: false }))
      .filter((one) => !known.some((other) => sameApp(other.app, one.app) && isSame(other, one))),
  );
  return { ...existing, attachments: [...known, ...strangers] };
}

/** Whoever manages relays need not manage apps: what may not be read is undefined. */
export async function unlessForbidden<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof HcmError && error.code === 'HCM_AZURE_FORBIDDEN') return undefined;
    throw error;
  }
}

function findConnection(namespaces: Existing['namespaces'], relay: SiteRelay): ConnectionRef | undefined {
  const place = namespaces.get(relay.namespace.toLowerCase());
  const found = place?.existing?.connections.find(({ name }) => sameName(name, relay.connection));
  return place && found && { ...place.ref, connection: found.name };
}

function toAttachment(app: App, { namespace, connection, target }: SiteRelay) {
  return { app, namespace, connection, target };
}

function isOf(relay: SiteRelay, { name, connection }: ConnectionRef): boolean {
  return isSame(relay, { namespace: name, connection });
}

function isSame(
  one: Pick<SiteRelay, 'namespace' | 'connection'>,
  other: Pick<SiteRelay, 'namespace' | 'connection'>,
): boolean {
  return sameName(one.namespace, other.namespace) && sameName(one.connection, other.connection);
}
