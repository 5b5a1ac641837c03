/**
 * The app's side of its hybrid connections, for a program that runs here: each one that is attached, with its target,
 * where its relay is, and tokens of the very rule that the app uses.
 */
import { HcmError } from '../../protocol/errors.ts';
import type { Target } from '../../protocol/target.ts';
import { systemClock } from '../../tunnel/clock.ts';
import type { Connection } from '../../tunnel/options.ts';
import { entraTokens, lookedUpKeyTokens, type Token } from '../../tunnel/token-provider.ts';
import { appName, type App } from '../arm/apps.ts';
import type { Azure } from '../arm/azure.ts';
import { parseResourceId, type ConnectionRef } from '../arm/references.ts';
import type { SiteRelay } from '../arm/site-relays.ts';
import { readAppConnections, readSendKey } from './apps.ts';
import { endpointByName, readKey } from './connection-access.ts';

export interface AppConnection {
  readonly connection: Connection;
  readonly target: Target;
}

export interface AppAccess {
  readonly app: App;
  readonly connections: readonly AppConnection[];
  /** Attached connections that cannot be opened, each with the reason. */
  readonly failures: readonly HcmError[];
}

export interface AppAccessRequest {
  app: string;
  slot?: string | undefined;
  resourceGroup?: string | undefined;
  /** Tokens of Entra ID; no key is read then. */
  getToken?: (() => Promise<Token>) | undefined;
}

/**
 * Resolves with at least one connection.
 * @throws HcmError HCM_RESOURCE_NOT_FOUND when there is no such app or nothing is attached to it; what the first failure
 * was when none can be opened.
 */
export async function openAppConnections(azure: Azure, request: AppAccessRequest): Promise<AppAccess> {
  const { app, connections: relays } = await readAppConnections(azure, request.app, request);
  if (relays.length === 0) {
    throw new HcmError(
      'HCM_RESOURCE_NOT_FOUND',
      `No hybrid connection is attached to the app "${appName(app)}".`,
      { details: { next: `hcm app attach ${app.name} NAMESPACE/NAME${slotFlag(app)}` } },
    );
  }
  const opened = await Promise.all(relays.map((relay) => openRelay(azure, { app, relay }, request.getToken)));
  const connections = opened.flatMap((one) => (one instanceof HcmError ? [] : [one]));
  const failures = opened.filter((one) => one instanceof HcmError);
  const [failure] = failures;
  if (connections.length === 0 && failure !== undefined) throw failure;
  return { app, connections, failures };
}

/** Resolves with the error when the connection cannot be opened: the others can, perhaps. */
async function openRelay(
  azure: Azure,
  attachment: { app: App; relay: SiteRelay },
  getToken: AppAccessRequest['getToken'],
): Promise<AppConnection | HcmError> {
  const { relay } = attachment;
  const endpoint = endpointByName(`${relay.namespace}${relay.suffix}`, azure.cloud);
  const path = relay.connection;
  const tokens =
    getToken === undefined
      ? lookedUpKeyTokens(() => readAppKey(azure, attachment), systemClock)
      : entraTokens(getToken);
  try {
    await tokens.token({ host: endpoint.host, path });
    return { connection: { endpoint, path, tokens }, target: relay.target };
  } catch (error) {
    if (error instanceof HcmError) return error;
    throw error;
  }
}

/** As the app has it; where the plan may not be read, as the rule has it. */
async function readAppKey(
  azure: Azure,
  { app, relay }: { app: App; relay: SiteRelay },
): Promise<{ keyName: string; key: string }> {
  const ref = refOf(relay);
  try {
    return await readRuleKey(azure, ref, relay.keyName);
  } catch (error) {
    if (!(error instanceof HcmError)) throw error;
    if (error.code === 'HCM_AZURE_FORBIDDEN') {
      const sent = await readSendKey(azure, { app, relay });
      if (sent !== undefined && sent.key !== '') return sent;
    }
    if (error.code !== 'HCM_RESOURCE_NOT_FOUND') throw error;
    throw goneConnection(app, relay, error);
  }
}

/** The rule may be the connection's own or, as some tools have it, the namespace's. */
async function readRuleKey(azure: Azure, ref: ConnectionRef, rule: string) {
  try {
    return await readKey(azure, ref, rule);
  } catch (error) {
    if (!(error instanceof HcmError) || error.code !== 'HCM_RESOURCE_NOT_FOUND') throw error;
    const { subscriptionId, resourceGroup, name } = ref;
    return readKey(azure, { subscriptionId, resourceGroup, name }, rule);
  }
}

function refOf({ relayId, namespace, connection }: SiteRelay): ConnectionRef {
  const id = parseResourceId(relayId);
  return {
    subscriptionId: id?.subscriptionId ?? '',
    resourceGroup: id?.resourceGroup ?? '',
    name: namespace,
    connection,
  };
}

function goneConnection(app: App, { namespace, connection, keyName }: SiteRelay, cause: HcmError): HcmError {
  return new HcmError(
    'HCM_RESOURCE_NOT_FOUND',
    `The app "${appName(app)}" has "${namespace}/${connection}" attached with the rule "${keyName}", and Azure has no such connection or rule any more.`,
    {
      details: {
        ...cause.details,
        next: `hcm app detach ${app.name} ${namespace}/${connection}${slotFlag(app)}`,
      },
      cause,
    },
  );
}

function slotFlag({ slot }: App): string {
  return slot === undefined ? '' : ` --slot ${slot}`;
}
