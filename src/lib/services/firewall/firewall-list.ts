/** What a firewall must let out for one namespace: the relay with its gateways, and apart from it what only Azure's own calls need. */
import { cloudSuffixOf, isLoopbackName } from '../../../protocol/relay-hosts.ts';
import type { Clock } from '../../../tunnel/clock.ts';
import { BUILT_IN_CLOUDS, type Cloud } from '../../auth/cloud.ts';
import type { Dns } from './dns.ts';
import { gatewayHosts, isPrivateLink, PRIVATE_LINK_PORTS, stampOf, suffixOf } from './gateways.ts';
import { knownGateways } from './known-gateways.ts';

export type Purpose = 'namespace' | 'gateway' | 'private-endpoint' | 'sign-in' | 'management';

export interface AllowedHost {
  readonly host: string;
  /** A number, or a range of them (`9400-9599`). */
  readonly port: string;
  readonly purpose: Purpose;
  /** The name resolves; undefined when no DNS server has said. False: for machines that Azure adds one day. */
  readonly exists?: boolean | undefined;
}

export interface FirewallList {
  readonly host: string;
  readonly port: number;
  /** Nothing leaves this machine. */
  readonly local: boolean;
  readonly stamp?: string | undefined;
  readonly privateLink: boolean;
  /** In place of all gateways, for firewalls that know wildcards. */
  readonly wildcard?: string | undefined;
  /** For listeners and senders. */
  readonly relay: readonly AllowedHost[];
  /** For commands that look keys up or change Azure; a connection string needs none of them. */
  readonly azure: readonly AllowedHost[];
}

export interface ListRequest {
  readonly endpoint: { readonly host: string; readonly port: number };
  /** The one in use; the namespace's suffix may tell of another. */
  readonly cloud: Cloud;
  readonly dns: Dns;
  readonly clock: Clock;
  readonly signal?: AbortSignal;
}

/** Asks DNS and nobody else. Does not reject for names that are not known. */
export async function firewallList({
  endpoint,
  cloud,
  dns,
  clock,
  signal,
}: ListRequest): Promise<FirewallList> {
  const { host, port } = endpoint;
  const namespace = { host, port: String(port), purpose: 'namespace' } as const;
  if (isLoopbackName(host)) {
    return { ...endpoint, local: true, privateLink: false, relay: [namespace], azure: [] };
  }
  const suffix = cloudSuffixOf(host);
  const azure = azureHosts(BUILT_IN_CLOUDS.find(({ relaySuffix }) => relaySuffix === suffix) ?? cloud);
  if (suffix === undefined)
    return { ...endpoint, local: false, privateLink: false, relay: [namespace], azure };
  const aliases = await dns.aliases(host);
  signal?.throwIfAborted();
  const stamp = stampOf(aliases);
  const names = stamp === undefined ? [] : gatewayHosts(host, stamp);
  const gateways = await knownGateways(names, { dns, clock, ...(signal && { signal }) });
  signal?.throwIfAborted();
  const privateLink = aliases.some(isPrivateLink);
  const ports = { host, port: PRIVATE_LINK_PORTS, purpose: 'private-endpoint' } as const;
  return {
    ...endpoint,
    ...{ local: false, stamp, privateLink, wildcard: `*.${suffixOf(host)}`, azure },
    relay: [
      namespace,
      ...(privateLink ? [ports] : []),
      ...gateways.map((gateway) => ({ ...gateway, port: String(port), purpose: 'gateway' }) as const),
    ],
  };
}

function azureHosts({ authority, armEndpoint }: Cloud): AllowedHost[] {
  return [hostOf(authority, 'sign-in'), hostOf(armEndpoint, 'management')];
}

function hostOf(text: string, purpose: Purpose): AllowedHost {
  const { hostname, port } = new URL(text);
  return { host: hostname, port: port === '' ? '443' : port, purpose };
}
