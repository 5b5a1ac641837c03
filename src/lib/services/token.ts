/** One token for one hybrid connection, for programs that speak with the relay themselves. */
import { listenUrl } from '../../protocol/addresses.ts';
import { HcmError } from '../../protocol/errors.ts';
import { entityPrefix } from '../../protocol/http-path.ts';
import { urlHost } from '../../protocol/relay-hosts.ts';
import { isSasToken, parseSasToken } from '../../protocol/sas-token.ts';
import { connectionName } from '../../tunnel/emitter.ts';
import type { Connection } from '../../tunnel/options.ts';
import type { RelayRight } from './connection-access.ts';

/** What a relay still takes: the service wants a minute of life at the least. */
export const TOKEN_MIN_MS = 60_000;
/** Who needs one for longer needs a key. */
export const TOKEN_MAX_MS = 365 * 24 * 3_600_000;

export interface MintedToken {
  readonly text: string;
  readonly kind: 'sas' | 'entra';
  readonly expiresAtMs: number;
  /** What it opens; undefined when an Entra token does not tell. */
  readonly audience: string | undefined;
  /** Whose key signed it. */
  readonly rule?: string;
  /** NAMESPACE-HOST/NAME */
  readonly connection: string;
  /** Where it is to be shown: to send HTTP, or to listen. */
  readonly url: string;
}

export interface TokenRequest {
  readonly right: RelayRight;
  /** Undefined: an hour. The life of an Entra token is not ours. */
  readonly lifetimeMs?: number | undefined;
}

/**
 * @throws HcmError HCM_USAGE for a life that is too short or too long, and for a ready signature, from which no other token
 * can be made; HCM_TOKEN_MISSING where there are no credentials; what the provider of the tokens rejects with.
 */
export async function mintToken(
  connection: Connection,
  { right, lifetimeMs }: TokenRequest,
): Promise<MintedToken> {
  if (lifetimeMs !== undefined) checkLifetime(lifetimeMs);
  const { endpoint, path, tokens } = connection;
  const name = connectionName(connection);
  if (tokens === undefined) {
    throw new HcmError('HCM_TOKEN_MISSING', `There are no credentials for ${name} to make a token from.`, {
      details: { next: 'An anonymous sender needs no token; else give a connection string with a key' },
    });
  }
  const { text, expiresAtMs } = await tokens.token({ host: endpoint.host, path, lifetimeMs });
  if (!tokens.renewable) throw readyAlready(name, expiresAtMs);
  return {
    ...{ text, expiresAtMs, connection: name },
    ...(isSasToken(text) ? factsOfSas(text) : { kind: 'entra', audience: audienceOfJwt(text) }),
    url: right === 'Listen' ? listenUrl(endpoint, path).href : sendUrl(connection),
  };
}

function checkLifetime(lifetimeMs: number): void {
  if (lifetimeMs >= TOKEN_MIN_MS && lifetimeMs <= TOKEN_MAX_MS) return;
  throw new HcmError('HCM_USAGE', 'A token lives for 1 minute at least and for 365 days at most.', {
    details: { next: 'Write --expires-in 1h' },
  });
}

function readyAlready(name: string, expiresAtMs: number): HcmError {
  const isOver = expiresAtMs <= Date.now();
  return new HcmError(
    'HCM_USAGE',
    `The connection string for ${name} has a ready signature, which ${isOver ? 'was' : 'is'} good until ${new Date(expiresAtMs).toISOString()}, and no key: no other token can be made from it.`,
    { details: { next: 'Use that signature as the token, or give a connection string with a key' } },
  );
}

function factsOfSas(text: string): Pick<MintedToken, 'kind' | 'audience' | 'rule' | 'expiresAtMs'> {
  const { resource, keyName, expiresAtMs } = parseSasToken(text);
  return { kind: 'sas', audience: resource, rule: keyName, expiresAtMs };
}

function audienceOfJwt(text: string): string | undefined {
  try {
    const claims = JSON.parse(Buffer.from(text.split('.')[1] ?? '', 'base64url').toString()) as unknown;
    const { aud } = (claims ?? {}) as { aud?: unknown };
    return typeof aud === 'string' ? aud : undefined;
  } catch {
    return undefined;
  }
}

function sendUrl({ endpoint, path }: Connection): string {
  const port = endpoint.port === 443 ? '' : `:${endpoint.port}`;
  return `https://${urlHost(endpoint.host)}${port}${entityPrefix(path)}`;
}
