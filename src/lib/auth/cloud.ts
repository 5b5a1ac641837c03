/**
 * What a cloud is: where its Resource Manager, its sign-in and its relays are, and for whom tokens must be. The three
 * public ones are known here; others come from clouds.ts.
 */
import { CLOUD_SUFFIXES } from '../../protocol/relay-hosts.ts';

export interface Cloud {
  readonly name: string;
  /** `https://management.azure.com`, without a slash at the end. */
  readonly armEndpoint: string;
  /** Where one signs in: `https://login.microsoftonline.com`, without a slash at the end. */
  readonly authority: string;
  readonly armScope: string;
  /** What follows the namespace's name in its host, without a port. */
  readonly relaySuffix: string;
  /** Default 443. */
  readonly relayPort?: number;
  readonly relayScope: string;
  readonly portal?: string;
  /** The one tenant that there is: `adfs` on a disconnected Azure Stack Hub, the emulator's own. */
  readonly tenantId?: string;
  /** A private CA (PEM) to trust besides the public ones. */
  readonly caFile?: string;
  /** The emulator's own app, so that `local` needs no login. */
  readonly local?: LocalAccount;
}

export interface LocalAccount {
  readonly tenantId: string;
  readonly subscriptionId: string;
  readonly clientId: string;
  /** A file of mode 0600 that holds nothing but the secret. */
  readonly secretFile: string;
}

export const LOCAL_CLOUD = 'local';
export const DEFAULT_CLOUD = 'public';

/** The same in all clouds (learn.microsoft.com, "Authenticate and authorize an application with Microsoft Entra ID to access Azure Relay"). */
export const RELAY_SCOPE = 'https://relay.azure.net/.default';

export const BUILT_IN_CLOUDS: readonly Cloud[] = [
  {
    name: DEFAULT_CLOUD,
    armEndpoint: 'https://management.azure.com',
    authority: 'https://login.microsoftonline.com',
    armScope: 'https://management.azure.com/.default',
    relaySuffix: CLOUD_SUFFIXES.public,
    relayScope: RELAY_SCOPE,
    portal: 'https://portal.azure.com',
  },
  {
    name: 'usgov',
    armEndpoint: 'https://management.usgovcloudapi.net',
    authority: 'https://login.microsoftonline.us',
    armScope: 'https://management.usgovcloudapi.net/.default',
    relaySuffix: CLOUD_SUFFIXES.usgov,
    relayScope: RELAY_SCOPE,
    portal: 'https://portal.azure.us',
  },
  {
    name: 'china',
    armEndpoint: 'https://management.chinacloudapi.cn',
    authority: 'https://login.chinacloudapi.cn',
    armScope: 'https://management.chinacloudapi.cn/.default',
    relaySuffix: CLOUD_SUFFIXES.china,
    relayScope: RELAY_SCOPE,
    portal: 'https://portal.azure.cn',
  },
];

/** Entra ID itself vouches for these; any other authority has to be taken at its word. */
export function isPublicAuthority(authority: string): boolean {
  return BUILT_IN_CLOUDS.some((cloud) => cloud.authority === authority);
}
