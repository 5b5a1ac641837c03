/** Which way to sign in: the one asked for, the one remembered, or the one that the environment is made for. */
import type { Account, AuthMethod } from './account.ts';
import type { Cloud } from './cloud.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The order: `auth`, what `hcm login` remembered, the emulator's own app for `local`, what a pipeline put into the
 * environment, the az CLI. A machine's managed identity is never looked for unasked: where there is none, that costs
 * seconds.
 */
export function chooseMethod(request: {
  auth?: AuthMethod | undefined;
  account?: Account | undefined;
  cloud: Cloud;
  env: Environment;
}): AuthMethod {
  const { auth, account, cloud, env } = request;
  if (auth !== undefined) return auth;
  if (account?.method !== undefined) return account.method;
  if (cloud.local !== undefined) return 'local';
  return METHODS_BY_ENVIRONMENT.find(({ needs }) => isSet(env, needs))?.method ?? 'cli';
}

/** The variables that a method needs; where there are several lists, one of them. */
export const METHOD_VARIABLES = {
  env: [
    ['AZURE_TENANT_ID', 'AZURE_CLIENT_ID', 'AZURE_CLIENT_SECRET'],
    ['AZURE_TENANT_ID', 'AZURE_CLIENT_ID', 'AZURE_CLIENT_CERTIFICATE_PATH'],
  ],
  workload: [['AZURE_TENANT_ID', 'AZURE_CLIENT_ID', 'AZURE_FEDERATED_TOKEN_FILE']],
  github: [
    ['AZURE_TENANT_ID', 'AZURE_CLIENT_ID', 'ACTIONS_ID_TOKEN_REQUEST_URL', 'ACTIONS_ID_TOKEN_REQUEST_TOKEN'],
  ],
  pipelines: [
    ['SYSTEM_OIDCREQUESTURI', 'SYSTEM_ACCESSTOKEN', ...pipelineNames('AZURESUBSCRIPTION')],
    ['SYSTEM_OIDCREQUESTURI', 'SYSTEM_ACCESSTOKEN', ...pipelineNames('AZURE')],
  ],
} as const satisfies Partial<Record<AuthMethod, readonly (readonly string[])[]>>;

const METHODS_BY_ENVIRONMENT = (['env', 'workload', 'github', 'pipelines'] as const).flatMap((method) =>
  METHOD_VARIABLES[method].map((needs) => ({ method, needs })),
);

/** Azure Pipelines sets the first form in its tasks for Azure (AzureCLI@2); people set the second. */
function pipelineNames(prefix: string): string[] {
  return [`${prefix}_TENANT_ID`, `${prefix}_CLIENT_ID`, `${prefix}_SERVICE_CONNECTION_ID`];
}

/** The variables of the lists that are missing, by the list that is nearest; empty when one is complete. */
export function missingVariables(env: Environment, lists: readonly (readonly string[])[]): string[] {
  const missing = lists.map((names) => names.filter((name) => !env[name]));
  return missing.sort((a, b) => a.length - b.length)[0] ?? [];
}

function isSet(env: Environment, names: readonly string[]): boolean {
  return names.every((name) => env[name]);
}
