/** The documents by which clients find the endpoints: OpenID configuration, instance discovery, public keys. */
import { AadstsError } from './aadsts.ts';
import type { EntraAnswer, EntraRequest } from './exchange.ts';
import type { Issuer } from './issuer.ts';
import { accessIssuer } from './verify.ts';

const PUBLIC: Readonly<Record<string, string>> = { 'Access-Control-Allow-Origin': '*' };

/** The issuer of id tokens. */
export function idIssuer(baseUrl: string, tenantId: string): string {
  return `${baseUrl}/${tenantId}/v2.0`;
}

/** `/{tenant}/v2.0/.well-known/openid-configuration`, and the one without `v2.0`. */
export function openidConfiguration({ baseUrl, segments }: EntraRequest, tenantId: string): EntraAnswer {
  const tenant = segments[0] ?? '';
  const isV2 = segments[1]?.toLowerCase() === 'v2.0';
  const root = `${baseUrl}/${tenant}`;
  const endpoints = `${root}/oauth2${isV2 ? '/v2.0' : ''}`;
  // Of common and organizations, Azure gives a template.
  const named = tenant.toLowerCase() === tenantId ? tenantId : '{tenantid}';
  const body = {
    issuer: isV2 ? idIssuer(baseUrl, named) : accessIssuer(named),
    authorization_endpoint: `${endpoints}/authorize`,
    token_endpoint: `${endpoints}/token`,
    device_authorization_endpoint: `${endpoints}/devicecode`,
    jwks_uri: `${root}/discovery${isV2 ? '/v2.0' : ''}/keys`,
    token_endpoint_auth_methods_supported: ['client_secret_post', 'private_key_jwt', 'client_secret_basic'],
    response_modes_supported: ['query', 'fragment', 'form_post'],
    response_types_supported: ['code'],
    scopes_supported: ['openid', 'profile', 'email', 'offline_access'],
    grant_types_supported: [
      ...['authorization_code', 'client_credentials', 'refresh_token'],
      'urn:ietf:params:oauth:grant-type:device_code',
    ],
    subject_types_supported: ['pairwise'],
    id_token_signing_alg_values_supported: ['RS256'],
    code_challenge_methods_supported: ['plain', 'S256'],
    request_uri_parameter_supported: false,
    claims_supported: [
      'sub',
      'iss',
      'aud',
      'exp',
      'iat',
      'nonce',
      'preferred_username',
      'name',
      'tid',
      'ver',
    ],
    tenant_region_scope: null,
    cloud_instance_name: new URL(baseUrl).host,
    cloud_graph_host_name: 'graph.windows.net',
    msgraph_host: 'graph.microsoft.com',
  };
  return { status: 200, headers: PUBLIC, body };
}

/** `/common/discovery/instance?authorization_endpoint=…`: this authority knows itself and no other. */
export function instanceDiscovery({ baseUrl, query }: EntraRequest): EntraAnswer {
  const asked = query.get('authorization_endpoint') ?? '';
  if (!URL.canParse(asked)) throw new AadstsError(900144, 'authorization_endpoint');
  const { origin, host, pathname } = new URL(asked);
  if (origin !== baseUrl) throw new AadstsError(90023, 'authorization_endpoint');
  const tenant = pathname.split('/')[1] ?? 'common';
  const body = {
    tenant_discovery_endpoint: `${baseUrl}/${tenant}/v2.0/.well-known/openid-configuration`,
    'api-version': query.get('api-version') ?? '1.1',
    metadata: [{ preferred_network: host, preferred_cache: host, aliases: [host] }],
  };
  return { status: 200, headers: PUBLIC, body };
}

/** `/{tenant}/discovery/v2.0/keys` */
export async function publicKeys(issuer: Issuer): Promise<EntraAnswer> {
  return { status: 200, headers: PUBLIC, body: await issuer.publicKeys() };
}
