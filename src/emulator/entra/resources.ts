/**
 * What tokens can be for: the audiences of Azure's services in each cloud and of the emulator itself, and how a scope names
 * one. Sources: the endpoint documents of the clouds; Azure Relay's pages on Entra ID.
 */
import { isLoopbackName } from '../../protocol/relay-hosts.ts';

/** Resource Manager, by its new and its classic name, in each cloud. SDKs ask for these whatever the endpoint is. */
export const ARM_AUDIENCES: readonly string[] = [
  'https://management.azure.com',
  'https://management.core.windows.net',
  'https://management.usgovcloudapi.net',
  'https://management.core.usgovcloudapi.net',
  'https://management.chinacloudapi.cn',
  'https://management.core.chinacloudapi.cn',
];

/** Azure Relay's data plane. US Government has no name of its own. */
export const RELAY_AUDIENCES: readonly string[] = [
  'https://relay.azure.net',
  'https://relay.chinacloudapi.cn',
];

/** Nothing here answers for Graph, but tools ask for a token on the way to Resource Manager. */
const GRAPH_ID = '00000003-0000-0000-c000-000000000000';
const GRAPH_AUDIENCES = ['https://graph.microsoft.com', 'https://graph.windows.net', GRAPH_ID];

const KNOWN = [...ARM_AUDIENCES, ...RELAY_AUDIENCES, ...GRAPH_AUDIENCES];

/** What OpenID Connect and OAuth own: these scopes name no resource. */
const OPENID_SCOPES = new Set(['openid', 'profile', 'email', 'offline_access']);

export interface AskedScope {
  /** The audience to be, to the letter: `https://x//.default` means one that ends in a slash. */
  readonly resource: string;
  /** The scopes that name the resource, as asked. */
  readonly scopes: readonly string[];
  readonly openid: boolean;
  readonly offline: boolean;
}

/** Reads the `scope` of a request. Undefined when it names two resources. Without any it means Graph, as at Azure. */
export function parseScope(scope: string): AskedScope | undefined {
  const all = scope.split(/\s+/).filter((part) => part !== '');
  const scopes = all.filter((part) => !OPENID_SCOPES.has(part.toLowerCase()));
  const [resource = GRAPH_ID, ...others] = new Set(scopes.map(resourceOf));
  if (others.length > 0) return undefined;
  return { resource, scopes, openid: all.includes('openid'), offline: all.includes('offline_access') };
}

/** True when tokens for this audience are given. `port` is the emulator's as the client reaches it. */
export function isKnownResource(resource: string, port: number): boolean {
  const bare = resource.replace(/\/+$/, '').toLowerCase();
  if (KNOWN.includes(bare)) return true;
  if (!URL.canParse(bare)) return false;
  const url = new URL(bare);
  return url.origin === bare && isLoopbackName(url.hostname) && portOf(url) === port;
}

/** Everything up to the last slash: `https://management.azure.com/user_impersonation`. A bare word is Graph's. */
function resourceOf(scope: string): string {
  const slash = scope.lastIndexOf('/');
  return slash < 0 ? GRAPH_ID : scope.slice(0, slash);
}

function portOf({ port, protocol }: URL): number {
  if (port !== '') return Number(port);
  return protocol === 'https:' ? 443 : 80;
}
