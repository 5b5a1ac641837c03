/**
 * What the credentials may do at the relay, found out without getting into anybody's way: Listen by the read of the
 * entity's description (a registration would draw senders), Send by a connection that no listener is allowed to take.
 */
import { randomUUID } from 'node:crypto';
import { connectUrl } from '../../../protocol/addresses.ts';
import type { EntityDescription } from '../../../protocol/entity-description.ts';
import { HcmError, type ErrorCode } from '../../../protocol/errors.ts';
import { RELAY_HEADERS } from '../../../protocol/headers.ts';
import { isSasToken, parseSasToken } from '../../../protocol/sas-token.ts';
import { asHcmError } from '../../../tunnel/emitter.ts';
import { readEntity } from '../../../tunnel/entity-reader.ts';
import { orAborted, withDeadline } from '../../../tunnel/network-errors.ts';
import type { Connection } from '../../../tunnel/options.ts';
import { upgrade } from '../../../tunnel/relay-socket.ts';
import type { Scene, Side } from './scene.ts';
import type { Way } from './way.ts';

/** A relay that does not know the header that keeps listeners out asks one of them, for up to 30 s. */
const SEND_LIMIT_MS = 40_000;

/** The relay's answers to a sender that was let in: it had the right, and something else was in the way. */
const LET_IN: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'HCM_NO_LISTENER',
  'HCM_LISTENER_FILTERED',
  'HCM_LISTENER_TIMEOUT',
  'HCM_LISTENER_BUSY',
  'HCM_REJECTED',
  'HCM_HTTP_UNSERVED',
]);
/** Answers that a rule without the right may get; all others are about the token, or the relay. */
const LACKS_RIGHT: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'HCM_RIGHT_MISSING',
  'HCM_UNAUTHORIZED',
  'HCM_FORBIDDEN',
  // What the read of an entity takes every 403 for.
  'HCM_QUOTA_EXCEEDED',
]);

/** One right. `connection` is what has it; else `error` is the relay's no. */
export type Grant =
  | {
      readonly connection: Connection;
      readonly entityMissing: boolean;
      readonly description?: EntityDescription;
    }
  | { readonly connection?: undefined; readonly error: HcmError };

export interface Rights {
  readonly listen: Grant;
  readonly send: Grant;
  /** The side that was named, else the one that the rights allow; undefined: both. */
  readonly side: Side | undefined;
  readonly tokens: readonly TokenFacts[];
}

export interface TokenFacts {
  readonly kind: 'sas' | 'entra' | 'none';
  readonly rule?: string;
  readonly expiresAt?: string;
}

/** @throws HcmError when no token can be made at all. */
export async function findRights(scene: Scene, way: Way): Promise<Rights> {
  const { connections, side } = scene;
  const tokens = await describeTokens(scene);
  const listen = await firstGrant(connections, (connection) => tryListen(connection, scene, way));
  const send = await firstGrant(connections, (connection) => trySend(connection, scene, way));
  const [mayListen, maySend] = [listen.connection !== undefined, send.connection !== undefined];
  const implied = mayListen === maySend ? undefined : mayListen ? 'listener' : 'sender';
  return { listen, send, side: side ?? implied, tokens };
}

/** True when the relay turned it down for nothing but the right. */
export function lacksRight(error: HcmError): boolean {
  return LACKS_RIGHT.has(error.code);
}

async function describeTokens({ connections, signal }: Scene): Promise<TokenFacts[]> {
  const facts: TokenFacts[] = [];
  for (const { endpoint, path, tokens } of connections) {
    if (tokens === undefined) {
      facts.push({ kind: 'none' });
      continue;
    }
    const { text, expiresAtMs } = await orAborted(tokens.token({ host: endpoint.host, path }), signal);
    const expiresAt = new Date(expiresAtMs).toISOString();
    facts.push(
      isSasToken(text)
        ? { kind: 'sas', rule: parseSasToken(text).keyName, expiresAt }
        : { kind: 'entra', expiresAt },
    );
  }
  return facts;
}

/** The first credential that has the right; else the refusal that tells most. */
async function firstGrant(
  connections: readonly Connection[],
  attempt: (connection: Connection) => Promise<Grant>,
): Promise<Grant> {
  const refusals: Grant[] = [];
  for (const connection of connections) {
    const grant = await attempt(connection);
    if (grant.connection !== undefined) return grant;
    refusals.push(grant);
  }
  const telling = refusals.find((grant) => grant.connection === undefined && !lacksRight(grant.error));
  return telling ?? refusals[0] ?? { error: new HcmError('HCM_TOKEN_MISSING', 'There is no credential.') };
}

async function tryListen(connection: Connection, { clock, signal }: Scene, { dialer }: Way): Promise<Grant> {
  const { tokens } = connection;
  if (tokens === undefined) {
    return { error: new HcmError('HCM_RIGHT_MISSING', 'Without a token nobody may listen.') };
  }
  try {
    const description = await readEntity({ ...connection, tokens }, { dialer, clock, signal });
    return { connection, entityMissing: false, description };
  } catch (error) {
    if (signal.aborted) throw error;
    const known = asHcmError(error);
    if (known.code === 'HCM_ENTITY_NOT_FOUND') return { connection, entityMissing: true };
    return { error: known };
  }
}

async function trySend(connection: Connection, { clock, signal }: Scene, { dialer }: Way): Promise<Grant> {
  const { endpoint, path, tokens } = connection;
  const late = () =>
    new HcmError('HCM_CONNECT_TIMEOUT', `${endpoint.host} gave no answer to a sender`, { retryable: true });
  try {
    await withDeadline({ clock, limitMs: SEND_LIMIT_MS, late, signal }, async (inner) => {
      const token = tokens && (await orAborted(tokens.token({ host: endpoint.host, path }), inner));
      const socket = await dialer.dial(endpoint.host, endpoint.port, inner);
      const nobody = [RELAY_HEADERS.allowedListeners, randomUUID()];
      const { webSocket } = await upgrade(socket, connectUrl(endpoint, path), {
        ...{ role: 'connect', host: endpoint.host, path, nowMs: clock.nowMs(), signal: inner },
        headers: [...(token ? [RELAY_HEADERS.authorization, token.text] : []), ...nobody],
      });
      // A relay that does not know the header has opened a stream: nothing is sent on it.
      webSocket.destroy();
    });
    return { connection, entityMissing: false };
  } catch (error) {
    if (signal.aborted) throw error;
    const known = asHcmError(error);
    if (known.code === 'HCM_ENTITY_NOT_FOUND') return { connection, entityMissing: true };
    if (LET_IN.has(known.code) || known.code.startsWith('HCM_TARGET_'))
      return { connection, entityMissing: false };
    return { error: known };
  }
}
