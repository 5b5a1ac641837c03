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

interface VerifyContext {
  readonly state: DirectoryState;
  /** The clock that tokens are judged by, faults included. */
  nowMs(): number;
  /** See EntraFaults: older tokens are refused, with claims to ask a new one with. */
  readonly faults?: { readonly entra: { readonly tokensNotBeforeS: number } };
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
interface AccessClaims {
  readonly iss: string;
  readonly aud: string;
  readonly tid: string;
  readonly oid: string;
  readonly appid: string;
  /** Seconds since 1970. */
  readonly nbf: number;
  readonly exp: number;
}

/** The issuer of access tokens; those for Azure's own services are of version 1. */
export function accessIssuer(tenantId: string): string {
  return `https://sts.windows.net/${tenantId}/`;
}

/** How far ahead of a verifier's clock the issuer's may be, in seconds; the services' usual five minutes. */
export const SKEW_S = 300;

export function createVerifyBearer(context: VerifyContext): VerifyBearer {
  // eslint-disable-next-line @typescript-eslint/require-await -- a refusal is a rejection
  return async (header, audiences) => {
    const token = /^Bearer +(\S+) *$/i.exec(header ?? '')?.[1];
    if (token === undefined) throw refusal(context, 'missing');
    const checked = checkAccessToken(context, token, audiences);
    if ('fault' in checked) throw refusal(context, checked.fault, checked.claims, audiences);
    return checked.caller;
  };
}

/** Checks a bare token. Signature first: whoever cannot sign learns nothing. */
export function checkAccessToken(
  context: VerifyContext,
  token: string,
  audiences: readonly string[],
): { caller: Caller; expiresAtMs: number } | { fault: TokenFault; claims?: AccessClaims } {
  const { state } = context;
  const signed = readSigned(state, token);
  if (typeof signed === 'string') return { fault: signed };
  // What else was signed with this key, refresh tokens among them, is no access token.
  if (!isAccessClaims(signed)) return { fault: 'malformed' };
  const claims = signed;
  if (claims.iss !== accessIssuer(state.tenantId) || claims.tid !== state.tenantId) {
    return { fault: 'tenant', claims };
  }
  if (!audiences.some((audience) => sameAudience(audience, claims.aud))) return { fault: 'audience', claims };
  const nowS = context.nowMs() / 1_000;
  if (claims.exp <= nowS) return { fault: 'expired', claims };
  if (claims.nbf < notBeforeS(context)) return { fault: 'revoked', claims };
  const caller = callerOf(state, claims);
  // Not yet good, or its bearer has been deleted since.
  return claims.nbf > nowS + SKEW_S || caller === undefined
    ? { fault: 'signature', claims }
    : { caller, expiresAtMs: claims.exp * 1_000 };
}

/** The claims of any token that was signed with the state's key; nothing but the signature is checked. */
export function readSigned(
  state: DirectoryState,
  token: string,
): Record<string, unknown> | 'malformed' | 'signature' {
  const parts = token.split('.');
  const [header = '', payload = '', signature = ''] = parts;
  const algorithm = parseJson(header)?.['alg'];
  const claims = parseJson(payload);
  if (parts.length !== 3 || algorithm === undefined || claims === undefined) return 'malformed';
  // Only what we sign with: a token must not choose how it is checked.
  const isOurs = algorithm === 'RS256' && isSigned(state, `${header}.${payload}`, signature);
  return isOurs ? claims : 'signature';
}

/** Who a token speaks of, with the roles of this moment. */
function callerOf({ principals, roleAssignments }: DirectoryState, claims: AccessClaims): Caller | undefined {
  const principal = principals.find(({ objectId }) => objectId === claims.oid);
  if (principal === undefined) return undefined;
  return {
    ...{ objectId: principal.objectId, appId: claims.appid },
    name: principal.userPrincipalName ?? principal.displayName,
    roles: roleAssignments
      .filter(({ principalId }) => principalId === principal.objectId)
      .map(({ scope, roleId }) => ({ scope, roleId })),
  };
}

function isSigned({ signingKey }: DirectoryState, text: string, signature: string): boolean {
  if (signingKey === undefined) return false;
  const { kty, n, e } = signingKey;
  const key = createPublicKey({ key: { kty, n, e } as CryptoKeyJwk, format: 'jwk' });
  return verify('sha256', Buffer.from(text), key, Buffer.from(signature, 'base64url'));
}

function isAccessClaims(claims: Record<string, unknown>): claims is Record<string, unknown> & AccessClaims {
  const texts = ['iss', 'aud', 'tid', 'oid', 'appid'].every((name) => typeof claims[name] === 'string');
  return texts && typeof claims['nbf'] === 'number' && typeof claims['exp'] === 'number';
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
  context: VerifyContext,
  fault: TokenFault,
  claims?: AccessClaims,
  audiences: readonly string[] = [],
): BearerError {
  const invalid = (code: string, message: string) =>
    new BearerError(fault, code, message, challenge(context.state, 'invalid_token', message));
  switch (fault) {
    case 'missing':
      return invalid('AuthenticationFailed', "Authentication failed. The 'Authorization' header is missing.");
    case 'malformed':
    case 'signature':
      return invalid('InvalidAuthenticationToken', 'The access token is invalid.');
    case 'tenant':
      return invalid(
        'InvalidAuthenticationTokenTenant',
        `The access token is from the wrong issuer '${claims?.iss}'. It must match the tenant '${accessIssuer(context.state.tenantId)}' associated with this subscription.`,
      );
    case 'audience':
      return invalid(
        'InvalidAuthenticationTokenAudience',
        `The access token has been obtained for wrong audience or resource '${claims?.aud}'. It should exactly match with one of the allowed audiences '${audiences.join("','")}'.`,
      );
    case 'expired':
      return invalid(
        'ExpiredAuthenticationToken',
        `The access token expiry UTC time '${timeText((claims?.exp ?? 0) * 1_000)}' is earlier than current UTC time '${timeText(context.nowMs())}'.`,
      );
    case 'revoked':
      return revocation(context.state, notBeforeS(context));
  }
}

function notBeforeS({ faults }: VerifyContext): number {
  return faults?.entra.tokensNotBeforeS ?? 0;
}

/** Continuous access evaluation: the client is to ask again, and to pass these claims on. */
function revocation(state: DirectoryState, fromS: number): BearerError {
  const message = 'Continuous access evaluation resulted in challenge with result: InteractionRequired';
  const claims = { access_token: { nbf: { essential: true, value: String(fromS) } } };
  const encoded = Buffer.from(JSON.stringify(claims)).toString('base64');
  return new BearerError(
    ...(['revoked', 'TokenIssuedBeforeRevocationTimestamp', message] as const),
    `${challenge(state, 'insufficient_claims', message)}, claims="${encoded}"`,
  );
}

function timeText(ms: number): string {
  return new Date(ms).toISOString();
}

/** Clients that know no tenant take it from here. */
function challenge({ tenantId }: DirectoryState, error: string, description: string): string {
  // A header's value: no quotes, no line breaks, Latin-1; the claims may hold anything that was signed here.
  const value = description.replaceAll('"', "'").replace(/[^\x20-\x7e]/g, '?');
  return `Bearer authorization_uri="https://login.windows.net/${tenantId}", error="${error}", error_description="${value}"`;
}
