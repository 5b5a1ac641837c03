/**
 * Makes tokens: access tokens of version 1, as Azure's own services get them, id tokens of version 2, and refresh tokens, which
 * are signed, too, so that they outlive a restart without a list. Owns the signing key, made when it is first needed.
 */
import { randomUUID } from 'node:crypto';
import type { JWTPayload } from 'jose';
import type { PrincipalState, SigningKeyState } from '../entra-state.ts';
import type { EntraContext } from './context.ts';
import { accessIssuer, readSigned, SKEW_S } from './verify.ts';

const ALGORITHM = 'RS256';
/** As Azure's: a refresh token that is not used dies after 90 days. */
const REFRESH_LIFETIME_S = 90 * 86_400;
const REFRESH_AUDIENCE = 'urn:hcm:refresh-token';

/** How the client proved who it is, as `appidacr` says it: not at all, by a secret, by an assertion. */
export type ClientProof = '0' | '1' | '2';

interface AccessRequest {
  readonly principal: PrincipalState;
  readonly clientId: string;
  readonly proof: ClientProof;
  readonly resource: string;
  /** The `claims` parameter of the request. */
  readonly claims?: RequestedClaims | undefined;
}

export interface RequestedClaims {
  readonly capabilities: readonly string[];
  /** The token must not be from before this second. */
  readonly notBeforeS: number;
}

export interface AccessToken {
  readonly token: string;
  readonly notBeforeS: number;
  readonly expiresS: number;
  readonly lifetimeS: number;
}

export class Issuer {
  readonly context: EntraContext;
  #making: Promise<SigningKeyState> | undefined;

  constructor(context: EntraContext) {
    this.context = context;
  }

  get nowS(): number {
    return Math.floor(this.context.nowMs() / 1_000);
  }

  async accessToken({ principal, clientId, proof, resource, claims }: AccessRequest): Promise<AccessToken> {
    const { tenantId } = this.context.state;
    // Not further ahead than verifiers forgive.
    const notBeforeS = Math.min(Math.max(this.nowS, claims?.notBeforeS ?? 0), this.nowS + SKEW_S);
    const lifetimeS = Math.floor(this.context.behaviour.accessTokenLifetimeMs / 1_000);
    const expiresS = this.nowS + lifetimeS;
    const { objectId, displayName, userPrincipalName } = principal;
    const identityProvider = accessIssuer(tenantId);
    const token = await this.#sign({
      ...{ aud: resource, iss: identityProvider, iat: notBeforeS, nbf: notBeforeS, exp: expiresS },
      ...{
        appid: clientId,
        appidacr: proof,
        idp: identityProvider,
        oid: objectId,
        sub: objectId,
        tid: tenantId,
      },
      ...{ uti: randomUUID(), ver: '1.0' },
      ...(userPrincipalName === undefined
        ? { idtyp: 'app' }
        : {
            ...{ idtyp: 'user', name: displayName, scp: 'user_impersonation' },
            ...{ unique_name: userPrincipalName, upn: userPrincipalName },
          }),
      ...(claims !== undefined && claims.capabilities.length > 0 ? { xms_cc: claims.capabilities } : {}),
    });
    return { token, notBeforeS, expiresS, lifetimeS };
  }

  /** @param issuer of the OpenID configuration that the client reads. */
  idToken(
    user: PrincipalState,
    clientId: string,
    { issuer, nonce }: { issuer: string; nonce: string | undefined },
  ): Promise<string> {
    const { objectId, displayName, userPrincipalName } = user;
    return this.#sign({
      ...{ aud: clientId, iss: issuer, iat: this.nowS, nbf: this.nowS, exp: this.nowS + 3_600 },
      ...{ name: displayName, preferred_username: userPrincipalName, oid: objectId, sub: objectId },
      ...{ tid: this.context.state.tenantId, uti: randomUUID(), ver: '2.0' },
      ...(nonce === undefined ? {} : { nonce }),
    });
  }

  refreshToken(user: PrincipalState, clientId: string): Promise<string> {
    const exp = this.nowS + REFRESH_LIFETIME_S;
    return this.#sign({ aud: REFRESH_AUDIENCE, sub: user.objectId, appid: clientId, iat: this.nowS, exp });
  }

  /** Who a refresh token is for; undefined when it is none of ours. */
  readRefreshToken(token: string): { objectId: unknown; clientId: unknown; expired: boolean } | undefined {
    const claims = readSigned(this.context.state, token);
    if (typeof claims === 'string' || claims['aud'] !== REFRESH_AUDIENCE) return undefined;
    return {
      ...{ objectId: claims['sub'], clientId: claims['appid'] },
      expired: Number(claims['exp']) <= this.nowS,
    };
  }

  /** A token of another issuer, whose endpoints this emulator plays: GitHub, Azure Pipelines. */
  foreignToken(claims: JWTPayload, lifetimeS: number): Promise<string> {
    return this.#sign({ ...claims, iat: this.nowS, nbf: this.nowS, exp: this.nowS + lifetimeS });
  }

  /** The public keys, as the `jwks_uri` gives them. */
  async publicKeys(): Promise<{ keys: readonly object[] }> {
    const { kty, n, e, kid } = await this.#key();
    return { keys: [{ kty, n, e, kid, x5t: kid, use: 'sig', alg: ALGORITHM }] };
  }

  async #sign(claims: JWTPayload): Promise<string> {
    const { SignJWT } = await import('jose');
    const key = await this.#key();
    const { kid } = key;
    return new SignJWT(claims).setProtectedHeader({ typ: 'JWT', alg: ALGORITHM, kid, x5t: kid }).sign(key);
  }

  async #key(): Promise<SigningKeyState> {
    return this.context.state.signingKey ?? (await (this.#making ??= this.#makeKey()));
  }

  async #makeKey(): Promise<SigningKeyState> {
    const { state } = this.context;
    state.signingKey = await createSigningKey();
    this.context.changed();
    return state.signingKey;
  }
}

/** A new RS256 key, private. Takes some tenths of a second. */
export async function createSigningKey(): Promise<SigningKeyState> {
  const { calculateJwkThumbprint, exportJWK, generateKeyPair } = await import('jose');
  const { privateKey } = await generateKeyPair(ALGORITHM, { extractable: true });
  const jwk = await exportJWK(privateKey);
  const { n, e, d, p, q, dp, dq, qi } = jwk as Record<string, string>;
  const kid = await calculateJwkThumbprint(jwk);
  return { kty: 'RSA', kid, alg: ALGORITHM, ...({ n, e, d, p, q, dp, dq, qi } as RsaParts) };
}

type RsaParts = Record<'n' | 'e' | 'd' | 'p' | 'q' | 'dp' | 'dq' | 'qi', string>;
