/** From a way to sign in to the credential of @azure/identity that does it; the SDK is loaded here, and only here. */
import type { TokenCredential } from '@azure/core-auth';
import type { HttpClient } from '@azure/core-rest-pipeline';
import { HcmError } from '../../protocol/errors.ts';
import { loadText } from '../config/json-file.ts';
import type { Account, AuthMethod } from './account.ts';
import { isPublicAuthority, type Cloud } from './cloud.ts';

/** Someone at a terminal. */
export interface Prompt {
  /** Shows where to go and which code to type there. */
  showDeviceCode(message: string): void;
}

export interface CredentialContext {
  cloud: Cloud;
  env: Readonly<Record<string, string | undefined>>;
  directory: string;
  httpClient: HttpClient;
  tenantId: string | undefined;
  account: Account | undefined;
  prompt: Prompt | undefined;
}

export async function createCredential(
  method: AuthMethod,
  context: CredentialContext,
): Promise<TokenCredential> {
  const identity = await import('@azure/identity');
  const { cloud, env, httpClient, tenantId } = context;
  const options = {
    authorityHost: cloud.authority,
    disableInstanceDiscovery: !isPublicAuthority(cloud.authority),
    httpClient,
  };
  switch (method) {
    case 'local': {
      const { local } = cloud;
      const secret = local && (await loadText(local.secretFile))?.trim();
      if (!local || !secret) throw new HcmError('HCM_NOT_RUNNING', 'The emulator has left no account.');
      return new identity.ClientSecretCredential(tenantId ?? local.tenantId, local.clientId, secret, options);
    }
    case 'env':
      return new identity.ClientSecretCredential(
        env['AZURE_TENANT_ID'] ?? '',
        env['AZURE_CLIENT_ID'] ?? '',
        env['AZURE_CLIENT_SECRET'] ?? '',
        options,
      );
    default:
      return new identity.AzureCliCredential(tenantId === undefined ? {} : { tenantId });
  }
}
