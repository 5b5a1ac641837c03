/**
 * The other side of workload identity federation, played: where a job on GitHub Actions or Azure Pipelines gets the token that it
 * exchanges. Both want a secret of the job, here the emulator's client secret.
 */
import type { EntraAnswer, EntraRequest } from './exchange.ts';
import type { Issuer } from './issuer.ts';

/** As GitHub's. */
const LIFETIME_S = 300;
const GITHUB_ISSUER = 'https://token.actions.githubusercontent.com';
const PIPELINES_ISSUER = 'https://vstoken.dev.azure.com/00000000-0000-0000-0000-000000000000';
const EXCHANGE_AUDIENCE = 'api://AzureADTokenExchange';
const GITHUB_SUBJECT = 'repo:local/local:ref:refs/heads/main';

/** `/oauth2/github?api-version=2.0&audience=…`: what ACTIONS_ID_TOKEN_REQUEST_URL is to name, with its query. */
export async function githubToken(issuer: Issuer, request: EntraRequest): Promise<EntraAnswer> {
  if (!showsSecret(issuer, request)) return { status: 401, body: { message: 'Unauthorized' } };
  const value = await issuer.foreignToken(
    {
      ...{ iss: GITHUB_ISSUER, sub: GITHUB_SUBJECT, repository: 'local/local', ref: 'refs/heads/main' },
      aud: request.query.get('audience') ?? 'https://github.com/local',
    },
    LIFETIME_S,
  );
  return { status: 200, body: { count: value.length, value } };
}

/** `/oauth2/pipelines?api-version=7.1&serviceConnectionId=…`: what SYSTEM_OIDCREQUESTURI is to name. */
export async function pipelinesToken(issuer: Issuer, request: EntraRequest): Promise<EntraAnswer> {
  if (!showsSecret(issuer, request)) return { status: 401, body: { message: 'Unauthorized' } };
  const connection = request.query.get('serviceConnectionId');
  if (request.method !== 'POST' || connection === null) {
    return { status: 400, body: { message: 'Needed: POST, and a serviceConnectionId in the query' } };
  }
  const oidcToken = await issuer.foreignToken(
    { iss: PIPELINES_ISSUER, sub: `sc://local/local/${connection}`, aud: EXCHANGE_AUDIENCE },
    LIFETIME_S,
  );
  return { status: 200, body: { oidcToken } };
}

function showsSecret({ context }: Issuer, { header }: EntraRequest): boolean {
  return header('Authorization')?.replace(/^Bearer +/i, '') === context.state.clientSecret;
}
