/** The flags that every command for Azure has: which cloud, who, where, and the way there. */
import { option, string } from '@oclif/core/flags';
import { AUTH_METHODS, type AuthMethod } from '../auth/account.ts';
import { networkFlags } from './network-flags.ts';

const GROUP = 'AZURE';

/** The way to Resource Manager and to the sign-in. */
export const networkToAzureFlags = {
  proxy: networkFlags.proxy,
  'proxy-password-file': networkFlags['proxy-password-file'],
  'ca-file': networkFlags['ca-file'],
  'connect-timeout': networkFlags['connect-timeout'],
};

/** Which cloud, and as whom. */
export const signInFlags = {
  cloud: string({
    description: 'Cloud: public, usgov, china, local, or one of "hcm cloud add".',
    helpGroup: GROUP,
    helpValue: 'NAME',
    env: 'HCM_CLOUD',
  }),
  tenant: string({
    description: 'Tenant (directory), by id or domain. Default: AZURE_TENANT_ID, else that of the sign-in.',
    helpGroup: GROUP,
    helpValue: 'TENANT',
  }),
  auth: option({
    description:
      'How to sign in. Default: as "hcm login" did, else by the environment, else as the az CLI is.',
    helpGroup: GROUP,
    options: AUTH_METHODS,
    env: 'HCM_AUTH',
  })(),
  ...networkToAzureFlags,
};

export const subscriptionFlag = string({
  description: 'Subscription, by name or id. Default: AZURE_SUBSCRIPTION_ID, else that of "hcm account set".',
  helpGroup: GROUP,
  helpValue: 'NAME',
});

export const resourceGroupFlag = string({
  char: 'g',
  description: 'Resource group.',
  helpGroup: GROUP,
  helpValue: 'NAME',
  env: 'HCM_RESOURCE_GROUP',
});

export const azureFlags = {
  ...signInFlags,
  subscription: subscriptionFlag,
  'resource-group': resourceGroupFlag,
};

export interface SignInFlags {
  cloud?: string | undefined;
  tenant?: string | undefined;
  auth?: AuthMethod | undefined;
  proxy?: string | undefined;
  'proxy-password-file'?: string | undefined;
  'ca-file'?: string | undefined;
  'connect-timeout'?: number | undefined;
}

export interface AzureFlags extends SignInFlags {
  subscription?: string | undefined;
}
