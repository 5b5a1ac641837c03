/**
 * Is this access token one of ours, for this audience, and still good; and who is its bearer. Answers in the words of Azure
 * Resource Manager. Synchronous at heart, for the relay's handshakes: RS256 with the one key of the state, no other algorithm.
 */
import { createPublicKey, verify, type JsonWebKey as CryptoKeyJwk } from 'node:crypto';
import type { DirectoryState } from '../entra-state.ts';
import type { Grant } from './roles.ts';

/** Whoever made a request. */
export interface Caller {
  readonly objectId: string;
  /** Client id of the program that asked for the token. */
  readonly appId: string;
  /** An application's display name or a person's user principal name. */
  readonly name: string;
  /** The roles it has now. See `allows` of roles.ts. */
  readonly roles: readonly Grant[];
}

export interface VerifyContext {
  readonly state: DirectoryState;
  /** The clock that tokens are judged by, faults included. */
  nowMs(): number;
  /** Tokens from before this second must be asked for again, with the claims that the refusal names. */
  tokensNotBeforeS?(): number | undefined;
}

export type TokenFault =
  'missing' | 'malformed' | 'signature' | 'tenant' | 'audience' | 'expired' | 'revoked';

/** Why a request has no caller: what Resource Manager answers with 401. */
export class BearerError extends Error {
  readonly fault: TokenFault;
  /** ARM's code: `AuthenticationFailed`, `InvalidAuthenticationToken` … */
  readonly code: string;
  /** The value of the answer's WWW-Authenticate. */
  readonly challenge: string;

  constructor(fault: TokenFault, code: string, message: string, challenge: string) {
    super(message);
    this.fault = fault;
    this.code = code;
    this.challenge = challenge;
  }
}

/** Resolves to the caller of a request with this Authorization header. @throws BearerError */
export type VerifyBearer = (header: string | undefined, audiences: readonly string[]) => Promise<Caller>;

/** What our access tokens say; see tokens.ts. */
export interface AccessClaims {
  readonly iss: string;
  readonly aud: string;
  readonly tid: string;
  readonly oid: string;
  readonly appid: string;
  readonly name: string;
  /** Seconds since 1970. */
  readonly nbf: number;
  readonly exp: number;
}

/** The issuer of access tokens; those for Azure's own services are of version 1. */
export function accessIssuer(tenantId: string): string {
  return `https://sts.windows.net/${tenantId}/`;
}

/** How far ahead of the verifier's clock the issuer's may be, in seconds; the services' usual five minutes. */
const SKEW_S = 300;

export function createVerifyBearer(context: VerifyContext): VerifyBearer {
  // eslint-disable-next-line @typescript-eslint/require-await -- a refusal is a rejection
  return async (header, audiences) => {
    const token = /^Bearer +(\S+) *$/i.exec(header ?? '')?.[1];
    if (token === undefined) throw refusal(context.state, 'missing');
    const checked = checkAccessToken(context, token, audiences);
    if ('fault' in checked) throw refusal(context.state, checked.fault, checked, audiences, context);
    return callerOf(context.state, checked.claims);
  };
}

/** Checks a bare token. Signature first: whoever cannot sign learns nothing. */
export function checkAccessToken(
  context: VerifyContext,
  token: string,
  audiences: readonly string[],
): { claims: AccessClaims } | { fault: TokenFault; claims?: AccessClaims } {
  const { state } = context;
  const parts = token.split('.');
  const [header, payload, signature] = parts;
  if (parts.length !== 3 || !header || !payload || signature === undefined) return { fault: 'malformed' };
  const algorithm = parseJson(header)?.alg;
  const claims = parseJson(payload) as Partial<AccessClaims> | undefined;
  if (algorithm === undefined || claims === undefined) return { fault: 'malformed' };
  if (algorithm !== 'RS256' || !isSigned(state, `${header}.${payload}`, signature))
    return { fault: 'signature' };
  if (!isComplete(claims)) return { fault: 'malformed' };
  if (claims.iss !== accessIssuer(state.tenantId) || claims.tid !== state.tenantId) {
    return { fault: 'tenant', claims };
  }
  if (!audiences.some((audience) => sameAudience(audience, claims.aud))) return { fault: 'audience', claims };
  const nowS = context.nowMs() / 1_000;
  if (claims.exp <= nowS) return { fault: 'expired', claims };
  if (claims.nbf > nowS + SKEW_S) return { fault: 'signature', claims };
  if (claims.nbf < (context.tokensNotBeforeS?.() ?? 0)) return { fault: 'revoked', claims };
  return { claims };
}

/** Who a token speaks of, with the roles of this moment. */
export function callerOf({ roleAssignments }: DirectoryState, { oid, appid, name }: AccessClaims): Caller {
  return {
    ...{ objectId: oid, appId: appid, name },
    roles: roleAssignments
      .filter(({ principalId }) => principalId === oid)
      .map(({ scope, roleId }) => ({ scope, roleId })),
  };
}

function isSigned({ signingKey }: DirectoryState, text: string, signature: string): boolean {
  if (signingKey === undefined) return false;
  const { kty, n, e } = signingKey;
  const key = createPublicKey({ key: { kty, n, e } as CryptoKeyJwk, format: 'jwk' });
  return verify('sha256', Buffer.from(text), key, Buffer.from(signature, 'base64url'));
}

function isComplete(claims: Partial<AccessClaims>): claims is AccessClaims {
  const { nbf, exp, ...texts } = claims;
  const names = ['iss', 'aud', 'tid', 'oid', 'appid', 'name'] as const;
  return (
    typeof nbf === 'number' &&
    typeof exp === 'number' &&
    names.every((name) => typeof texts[name] === 'string')
  );
}

/** The slash at the end does not count. */
function sameAudience(a: string, b: string): boolean {
  return bareAudience(a) === bareAudience(b);
}

function bareAudience(audience: string): string {
  return audience.toLowerCase().replace(/\/+$/, '');
}

function parseJson(part: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString());
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** Resource Manager's sentences, as clients show them. */
function refusal(
  { tenantId }: DirectoryState,
  fault: TokenFault,
  { claims }: { claims?: AccessClaims } = {},
  audiences: readonly string[] = [],
  context?: VerifyContext,
): BearerError {
  const text = (seconds = 0) => new Date(seconds * 1_000).toISOString();
  const invalid = (code: string, message: string) =>
    new BearerError(fault, code, message, challenge('invalid_token', message));
  switch (fault) {
    case 'missing':
      return invalid('AuthenticationFailed', "Authentication failed. The 'Authorization' header is missing.");
    case 'malformed':
    case 'signature':
      return invalid('InvalidAuthenticationToken', 'The access token is invalid.');
    case 'tenant':
      return invalid(
        'InvalidAuthenticationTokenTenant',
        `The access token is from the wrong issuer '${claims?.iss}'. It must match the tenant '${accessIssuer(tenantId)}' associated with this subscription.`,
      );
    case 'audience':
      return invalid(
        'InvalidAuthenticationTokenAudience',
        `The access token has been obtained for wrong audience or resource '${claims?.aud}'. It should exactly match with one of the allowed audiences '${audiences.join("','")}'.`,
      );
    case 'expired':
      return invalid(
        'ExpiredAuthenticationToken',
        `The access token expiry UTC time '${text(claims?.exp)}' is earlier than current UTC time '${text((context?.nowMs() ?? 0) / 1_000)}'.`,
      );
    case 'revoked': {
      const value = String(context?.tokensNotBeforeS?.() ?? 0);
      const wanted = JSON.stringify({ access_token: { nbf: { essential: true, value } } });
      const message = 'Continuous access evaluation resulted in challenge with result: InteractionRequired';
      return new BearerError(
        ...([fault, 'TokenIssuedBeforeRevocationTimestamp', message] as const),
        `${challenge('insufficient_claims', message)}, claims="${Buffer.from(wanted).toString('base64')}"`,
      );
    }
  }
}

function challenge(error: string, description: string): string {
  const value = description.replaceAll('"', "'");
  return `Bearer authorization_uri="https://login.windows.net/", error="${error}", error_description="${value}"`;
}
