/**
 * Managed identities: the metadata service of virtual machines (IMDS) and the identity endpoint of App Service. The first has
 * no secret in Azure either, only a header that no browser sends across origins; the second has the secret IDENTITY_HEADER,
 * here the emulator's client secret.
 */
import type { PrincipalState } from '../entra-state.ts';
import type { EntraAnswer, EntraRequest } from './exchange.ts';
import type { Issuer } from './issuer.ts';
import { isKnownResource } from './resources.ts';

/** IMDS speaks of 2018-02-01 and later; App Service of 2019-08-01 (2017-09-01 had other names). */
const API_VERSION = /^\d{4}-\d{2}-\d{2}(?:-preview)?$/;

/** `/metadata/identity/oauth2/token` */
export function instanceMetadata(issuer: Issuer, request: EntraRequest): Promise<EntraAnswer> | EntraAnswer {
  if (request.header('Metadata')?.toLowerCase() !== 'true') {
    return refusal(400, 'bad_request_102', 'Required metadata header not specified');
  }
  if (!request.isLocal) {
    return refusal(403, 'forbidden', 'The metadata service answers programs of its own machine only');
  }
  return identityToken(issuer, request);
}

/** `/msi/token`: what IDENTITY_ENDPOINT is to name. */
export function appServiceIdentity(
  issuer: Issuer,
  request: EntraRequest,
): Promise<EntraAnswer> | EntraAnswer {
  const secret = request.header('X-IDENTITY-HEADER') ?? request.header('secret');
  if (secret !== issuer.context.state.clientSecret) {
    return refusal(401, 'unauthorized', 'The header X-IDENTITY-HEADER is not as IDENTITY_HEADER says');
  }
  return identityToken(issuer, request);
}

async function identityToken(issuer: Issuer, { query, port }: EntraRequest): Promise<EntraAnswer> {
  if (!API_VERSION.test(query.get('api-version') ?? '')) {
    return refusal(400, 'bad_request', 'Required query variable "api-version" is missing');
  }
  const resource = query.get('resource') ?? '';
  if (resource === '')
    return refusal(400, 'invalid_request', 'Required query variable "resource" is missing');
  if (!isKnownResource(resource, port)) {
    const words = `AADSTS500011: The resource principal named ${resource} was not found in the tenant named Local.`;
    return refusal(400, 'invalid_resource', words);
  }
  const identity = identityOf(issuer.context.state.principals, query);
  if (identity?.clientId === undefined) return refusal(400, 'invalid_request', 'Identity not found');
  const { clientId } = identity;
  const access = await issuer.accessToken({ principal: identity, clientId, proof: '2', resource });
  return {
    status: 200,
    body: {
      ...{ access_token: access.token, client_id: clientId, token_type: 'Bearer', resource },
      ...{ expires_in: String(access.lifetimeS), ext_expires_in: String(access.lifetimeS) },
      ...{ expires_on: String(access.expiresS), not_before: String(access.notBeforeS) },
    },
  };
}

/** A user-assigned identity by one of its ids, else the system-assigned one. */
function identityOf(
  principals: readonly PrincipalState[],
  query: URLSearchParams,
): PrincipalState | undefined {
  const clientId = query.get('client_id') ?? query.get('clientid');
  const objectId = query.get('object_id') ?? query.get('principal_id');
  const resourceId = query.get('msi_res_id') ?? query.get('mi_res_id');
  if (clientId !== null) return principals.find((known) => known.clientId === clientId.toLowerCase());
  if (objectId !== null) return principals.find((known) => known.objectId === objectId.toLowerCase());
  if (resourceId !== null) {
    const name = resourceId.split('/').at(-1);
    return principals.find((known) => known.displayName === name);
  }
  return principals.find(({ type }) => type === 'ManagedIdentity');
}

function refusal(status: number, error: string, description: string): EntraAnswer {
  return { status, body: { error, error_description: description } };
}
