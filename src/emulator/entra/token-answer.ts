/** The answers that carry tokens: for applications and for people, of the endpoint's version 2 and of version 1. */
import type { PrincipalState } from '../entra-state.ts';
import { AadstsError } from './aadsts.ts';
import { idIssuer } from './discovery.ts';
import type { EntraAnswer, EntraRequest } from './exchange.ts';
import type { AccessToken, ClientProof, Issuer, RequestedClaims } from './issuer.ts';
import { isKnownResource, parseScope, type AskedScope } from './resources.ts';

/** What the tokens are for, and whether the request speaks the protocol's version 1 (`resource` instead of `scope`). */
export interface Asked extends AskedScope {
  readonly isV1: boolean;
}

/** Reads `scope` or `resource`. @throws AadstsError 90014, 70011, 500011 */
export function askedOf({ port, segments }: EntraRequest, parameters: URLSearchParams): Asked {
  const isV1 = segments.at(-2)?.toLowerCase() === 'oauth2';
  const asked = isV1 ? resourceAsked(parameters) : scopeAsked(parameters);
  if (!isKnownResource(asked.resource, port)) throw new AadstsError(500011, asked.resource);
  return { ...asked, isV1 };
}

function scopeAsked(parameters: URLSearchParams): AskedScope {
  const scope = parameters.get('scope') ?? '';
  if (scope.trim() === '') throw new AadstsError(90014, 'scope');
  const asked = parseScope(scope);
  if (asked === undefined) throw new AadstsError(70011, scope);
  return asked;
}

/** Version 1 gives everything that it has. */
function resourceAsked(parameters: URLSearchParams): AskedScope {
  const resource = parameters.get('resource') ?? '';
  if (resource === '') throw new AadstsError(90014, 'resource');
  return { resource, scopes: [`${resource}/.default`], openid: true, offline: true };
}

/** An application's own token. @throws AadstsError 1002012 */
export async function answerApplication(
  issuer: Issuer,
  request: EntraRequest,
  client: { clientId: string; principal: PrincipalState; proof: ClientProof },
): Promise<EntraAnswer> {
  const asked = askedOf(request, request.form);
  if (asked.scopes.length !== 1 || !asked.scopes[0]?.endsWith('/.default')) {
    throw new AadstsError(1002012, request.form.get('scope') ?? '');
  }
  const access = await issuer.accessToken({
    ...client,
    resource: asked.resource,
    claims: requestedClaims(request.form),
  });
  return { status: 200, body: accessFields(access, asked) };
}

/** A person's tokens: access, and id and refresh as asked. */
export async function answerPerson(
  issuer: Issuer,
  request: EntraRequest,
  { clientId, proof }: { clientId: string; proof: ClientProof },
  { user, asked, nonce }: { user: PrincipalState; asked: Asked; nonce?: string | undefined },
): Promise<EntraAnswer> {
  const claims = requestedClaims(request.form);
  const { resource, scopes } = asked;
  const access = await issuer.accessToken({ principal: user, clientId, proof, resource, claims });
  const { tenantId } = issuer.context.state;
  const info = JSON.stringify({ uid: user.objectId, utid: tenantId });
  const scope = [`${resource}/user_impersonation`, ...scopes, ...(asked.openid ? ['openid', 'profile'] : [])];
  const id = { issuer: idIssuer(request.baseUrl, tenantId), nonce };
  return {
    status: 200,
    body: {
      ...accessFields(access, asked),
      scope: asked.isV1 ? 'user_impersonation' : [...new Set(scope)].join(' '),
      ...(asked.offline ? { refresh_token: await issuer.refreshToken(user, clientId) } : {}),
      ...(asked.openid ? { id_token: await issuer.idToken(user, clientId, id) } : {}),
      client_info: Buffer.from(info).toString('base64url'),
    },
  };
}

/** Version 1 writes numbers as text, and adds when and what for. */
function accessFields(
  { token, notBeforeS, expiresS, lifetimeS }: AccessToken,
  { isV1, resource }: Asked,
): object {
  const common = { token_type: 'Bearer', access_token: token };
  if (!isV1) return { ...common, expires_in: lifetimeS, ext_expires_in: lifetimeS };
  return {
    ...common,
    ...{ expires_in: String(lifetimeS), ext_expires_in: String(lifetimeS) },
    ...{ expires_on: String(expiresS), not_before: String(notBeforeS), resource },
  };
}

/** The `claims` parameter, as far as it is about access tokens. @throws AadstsError 90023 */
function requestedClaims(form: URLSearchParams): RequestedClaims | undefined {
  const text = form.get('claims');
  if (text === null || text === '') return undefined;
  let access: { xms_cc?: { values?: unknown }; nbf?: { value?: unknown } } | undefined;
  try {
    access = (JSON.parse(text) as { access_token?: typeof access } | null)?.access_token;
  } catch {
    throw new AadstsError(90023, 'claims');
  }
  const values = access?.xms_cc?.values;
  const notBeforeS = Number(access?.nbf?.value ?? 0);
  return {
    capabilities: Array.isArray(values) ? values.filter((value) => typeof value === 'string') : [],
    notBeforeS: Number.isSafeInteger(notBeforeS) ? notBeforeS : 0,
  };
}
