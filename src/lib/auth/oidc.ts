/**
 * Tokens that a pipeline's own host vouches with, to be exchanged for Azure's: GitHub Actions and Azure Pipelines. Both
 * are asked for over the session's connections.
 */
import type { HttpClient, PipelineRequestOptions } from '@azure/core-rest-pipeline';
import { HcmError } from '../../protocol/errors.ts';
import type { Cloud } from './cloud.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Whom the token is for (learn.microsoft.com, "Workload identity federation"; national clouds have their own). */
const EXCHANGE_AUDIENCES: Readonly<Record<string, string>> = {
  'https://login.microsoftonline.us': 'api://AzureADTokenExchangeUSGov',
  'https://login.chinacloudapi.cn': 'api://AzureADTokenExchangeChina',
};
const PUBLIC_EXCHANGE_AUDIENCE = 'api://AzureADTokenExchange';
/** Of Azure Pipelines' "Oidctoken - Create". */
const PIPELINES_API_VERSION = '7.1';

/** Resolves with a JWT. Rejects with HcmError HCM_SIGN_IN_FAILED, or of the network. */
export async function fetchGithubToken(
  cloud: Cloud,
  env: Environment,
  httpClient: HttpClient,
): Promise<string> {
  const url = new URL(env['ACTIONS_ID_TOKEN_REQUEST_URL'] ?? '');
  url.searchParams.set('audience', EXCHANGE_AUDIENCES[cloud.authority] ?? PUBLIC_EXCHANGE_AUDIENCE);
  const authorization = `Bearer ${env['ACTIONS_ID_TOKEN_REQUEST_TOKEN']}`;
  const asked = { url: url.href, method: 'GET' } as const;
  return fetchField('value', { host: 'GitHub', asked, headers: { authorization }, httpClient });
}

/** As `fetchGithubToken`. */
export async function fetchPipelinesToken(
  serviceConnectionId: string,
  env: Environment,
  httpClient: HttpClient,
): Promise<string> {
  const url = new URL(env['SYSTEM_OIDCREQUESTURI'] ?? '');
  url.searchParams.set('api-version', PIPELINES_API_VERSION);
  url.searchParams.set('serviceConnectionId', serviceConnectionId);
  const headers = {
    authorization: `Bearer ${env['SYSTEM_ACCESSTOKEN']}`,
    'content-type': 'application/json',
    // Without it, a refusal is a redirect to a page for people.
    'x-tfs-fedauthredirect': 'Suppress',
  };
  const asked = { url: url.href, method: 'POST' } as const;
  return fetchField('oidcToken', { host: 'Azure Pipelines', asked, headers, httpClient });
}

async function fetchField(
  field: string,
  request: {
    host: string;
    asked: PipelineRequestOptions;
    headers: Record<string, string>;
    httpClient: HttpClient;
  },
): Promise<string> {
  const { createHttpHeaders, createPipelineRequest } = await import('@azure/core-rest-pipeline');
  const { host, asked, headers, httpClient } = request;
  const sent = createPipelineRequest({
    ...asked,
    headers: createHttpHeaders({ accept: 'application/json', ...headers }),
  });
  const { status, bodyAsText } = await httpClient.sendRequest(sent);
  const token = status === 200 ? fieldOf(bodyAsText, field) : undefined;
  if (token !== undefined) return token;
  throw new HcmError(
    'HCM_SIGN_IN_FAILED',
    `${host} gave no token to sign in to Azure with: it answered ${status}.`,
    { details: { status, next: 'See docs/sign-in.md' } },
  );
}

function fieldOf(text: string | null | undefined, name: string): string | undefined {
  try {
    const value = (JSON.parse(text ?? '') as Record<string, unknown>)[name];
    return typeof value === 'string' && value !== '' ? value : undefined;
  } catch {
    return undefined;
  }
}
