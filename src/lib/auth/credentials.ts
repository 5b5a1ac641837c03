/** From a way to sign in to the credential of @azure/identity that does it; the SDK is loaded here. */
import type { GetTokenOptions, TokenCredential } from '@azure/core-auth';
import type { HttpClient } from '@azure/core-rest-pipeline';
import type { AuthenticationRecord } from '@azure/identity';
import { HcmError } from '../../protocol/errors.ts';
import { loadText } from '../config/json-file.ts';
import { clientSecretFile, tokenCacheFile, type Account, type AuthMethod } from './account.ts';
import { isPublicAuthority, type Cloud } from './cloud.ts';
import { METHOD_VARIABLES, missingVariables } from './method.ts';
import { fetchGithubToken, fetchPipelinesToken } from './oidc.ts';
import { tokenCacheOptions } from './token-cache.ts';

/** Someone at a terminal. */
export interface Prompt {
  /** Shows where to go and which code to type there. */
  showDeviceCode(message: string): void;
  /** A page is about to open in the browser. @throws HcmError HCM_SIGN_IN_FAILED where there is none. */
  showBrowser(): void;
}

export interface CredentialContext {
  cloud: Cloud;
  env: Readonly<Record<string, string | undefined>>;
  /** The user's state folder. */
  directory: string;
  httpClient: HttpClient;
  tenantId: string | undefined;
  /** What was remembered of this very way to sign in. */
  account: Account | undefined;
  prompt: Prompt | undefined;
  /** Of a sign-in that is not remembered yet. */
  secret?: string | undefined;
}

/** A credential for a person can say, after a sign-in, whose tokens it keeps. */
export interface OurCredential extends TokenCredential {
  authenticate?(scopes: string, options?: GetTokenOptions): Promise<AuthenticationRecord | undefined>;
}

/** A first run of az after an update compiles itself. */
const AZ_TIMEOUT_MS = 60_000;

/** @throws HcmError HCM_SIGN_IN_REQUIRED where something is missing that the method needs, by name. */
export function createCredential(method: AuthMethod, context: CredentialContext): Promise<OurCredential> {
  return CREATORS[method](context);
}

type Creator = (context: CredentialContext) => Promise<OurCredential>;

const CREATORS: Readonly<Record<AuthMethod, Creator>> = {
  cli: async ({ tenantId }) => {
    const { AzureCliCredential } = await import('@azure/identity');
    const options = { processTimeoutInMs: AZ_TIMEOUT_MS, ...(tenantId === undefined ? {} : { tenantId }) };
    return new AzureCliCredential(options);
  },
  local: async (context) => {
    const { local } = context.cloud;
    const secret = local && (await loadText(local.secretFile))?.trim();
    if (!local || !secret) {
      throw new HcmError(
        'HCM_SIGN_IN_REQUIRED',
        `The cloud ${context.cloud.name} has no account of an emulator.`,
        { details: { next: 'hcm emulator start' } },
      );
    }
    const { ClientSecretCredential } = await import('@azure/identity');
    const tenantId = context.tenantId ?? local.tenantId;
    return new ClientSecretCredential(tenantId, local.clientId, secret, optionsFor(context));
  },
  env: async (context) => {
    const { env } = context;
    const [tenantId, clientId] = appOf(context, 'env');
    const secret = env['AZURE_CLIENT_SECRET'];
    return secret
      ? bySecret(context, { tenantId, clientId, secret })
      : byCertificate(context, { tenantId, clientId, file: env['AZURE_CLIENT_CERTIFICATE_PATH'] ?? '' });
  },
  'service-principal': async (context) => {
    const { account, tenantId = '', directory, cloud } = context;
    const { clientId = '', certificateFile: file } = account ?? {};
    if (file !== undefined) return byCertificate(context, { tenantId, clientId, file });
    const secret = context.secret ?? (await loadText(clientSecretFile(directory, cloud.name)))?.trim();
    if (secret) return bySecret(context, { tenantId, clientId, secret });
    throw new HcmError('HCM_SIGN_IN_REQUIRED', 'No service principal is remembered.', {
      details: { next: 'hcm login --service-principal --client-id ID --tenant TENANT' },
    });
  },
  workload: async (context) => {
    const [tenantId, clientId] = appOf(context, 'workload');
    const { WorkloadIdentityCredential } = await import('@azure/identity');
    const tokenFilePath = context.env['AZURE_FEDERATED_TOKEN_FILE'] ?? '';
    return new WorkloadIdentityCredential({ ...optionsFor(context), tenantId, clientId, tokenFilePath });
  },
  github: async (context) => {
    const { cloud, env, httpClient } = context;
    const app = appOf(context, 'github');
    return byAssertion(context, app, () => fetchGithubToken(cloud, env, httpClient));
  },
  pipelines: async (context) => {
    const { env, httpClient } = context;
    const app = appOf(context, 'pipelines');
    const connection =
      env['AZURESUBSCRIPTION_SERVICE_CONNECTION_ID'] ?? env['AZURE_SERVICE_CONNECTION_ID'] ?? '';
    return byAssertion(context, app, () => fetchPipelinesToken(connection, env, httpClient));
  },
  managed: async ({ account, env, ...context }) => {
    const { ManagedIdentityCredential } = await import('@azure/identity');
    const clientId = account?.clientId ?? env['AZURE_CLIENT_ID'];
    const options = { httpClient: context.httpClient };
    return new ManagedIdentityCredential({ ...options, ...(clientId ? { clientId } : {}) });
  },
  device: async (context) => {
    const { DeviceCodeCredential } = await import('@azure/identity');
    const { prompt } = context;
    return new DeviceCodeCredential({
      ...(await optionsForPeople(context)),
      userPromptCallback: ({ message }) => prompt?.showDeviceCode(message),
    });
  },
  browser: async (context) => {
    const { InteractiveBrowserCredential } = await import('@azure/identity');
    const credential = new InteractiveBrowserCredential(await optionsForPeople(context));
    return {
      getToken: (scopes, options) => credential.getToken(scopes, options),
      authenticate(scopes, options) {
        context.prompt?.showBrowser();
        return credential.authenticate(scopes, options);
      },
    };
  },
};

function optionsFor({ cloud, httpClient }: CredentialContext) {
  return {
    authorityHost: cloud.authority,
    disableInstanceDiscovery: !isPublicAuthority(cloud.authority),
    httpClient,
  };
}

/** Without a prompt nobody is asked: what the cache does not give is an error. */
async function optionsForPeople(context: CredentialContext) {
  const { directory, cloud, tenantId, account, prompt } = context;
  const { deserializeAuthenticationRecord } = await import('@azure/identity');
  const record = account?.record;
  return {
    ...optionsFor(context),
    ...(await tokenCacheOptions(tokenCacheFile(directory, cloud.name))),
    disableAutomaticAuthentication: prompt === undefined,
    ...(tenantId === undefined ? {} : { tenantId }),
    ...(record === undefined ? {} : { authenticationRecord: deserializeAuthenticationRecord(record) }),
  };
}

async function bySecret(
  context: CredentialContext,
  app: { tenantId: string; clientId: string; secret: string },
): Promise<OurCredential> {
  const { ClientSecretCredential } = await import('@azure/identity');
  return new ClientSecretCredential(app.tenantId, app.clientId, app.secret, optionsFor(context));
}

async function byCertificate(
  context: CredentialContext,
  app: { tenantId: string; clientId: string; file: string },
): Promise<OurCredential> {
  const { ClientCertificateCredential } = await import('@azure/identity');
  const { env } = context;
  const password = env['AZURE_CLIENT_CERTIFICATE_PASSWORD'];
  const certificate = {
    certificatePath: app.file,
    ...(password ? { certificatePassword: password } : {}),
  };
  const options = {
    ...optionsFor(context),
    sendCertificateChain: /^(?:1|true)$/i.test(env['AZURE_CLIENT_SEND_CERTIFICATE_CHAIN'] ?? ''),
  };
  return new ClientCertificateCredential(app.tenantId, app.clientId, certificate, options);
}

async function byAssertion(
  context: CredentialContext,
  [tenantId, clientId]: readonly [string, string],
  fetchToken: () => Promise<string>,
): Promise<OurCredential> {
  const { ClientAssertionCredential } = await import('@azure/identity');
  let failure: unknown;
  const fetchOrNote = () =>
    fetchToken().catch((error: unknown) => {
      // MSAL keeps nothing but the message.
      failure = error;
      throw error;
    });
  const credential = new ClientAssertionCredential(tenantId, clientId, fetchOrNote, optionsFor(context));
  return {
    getToken: (scopes, options) =>
      credential.getToken(scopes, options).catch((error: unknown) => {
        throw failure ?? error;
      }),
  };
}

/** Tenant and client of a method that lives on variables. */
function appOf(
  { env, tenantId }: CredentialContext,
  method: keyof typeof METHOD_VARIABLES,
): readonly [string, string] {
  const missing = missingVariables({ AZURE_TENANT_ID: tenantId, ...env }, METHOD_VARIABLES[method]);
  if (missing.length > 0) {
    throw new HcmError(
      'HCM_SIGN_IN_REQUIRED',
      `Signing in by "${method}" needs variables that are not set: ${missing.join(', ')}.`,
      { details: { next: `Set ${missing.join(', ')}; see docs/sign-in.md` } },
    );
  }
  const ofTask = method === 'pipelines' && env['AZURESUBSCRIPTION_CLIENT_ID'];
  const prefix = ofTask ? 'AZURESUBSCRIPTION' : 'AZURE';
  return [tenantId ?? env[`${prefix}_TENANT_ID`] ?? '', env[`${prefix}_CLIENT_ID`] ?? ''];
}
