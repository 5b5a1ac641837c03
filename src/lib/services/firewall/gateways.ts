/**
 * The gateways behind a namespace. The relay hands each listener and each sender the address of one of them, so that a
 * firewall which lets only the namespace through lets a listener register, and no stream come to life. Their names
 * follow from the alias of the namespace (Microsoft's page on App Service hybrid connections, and the script
 * GetNamespaceInfo.ps1 of its .NET client). Asks nobody.
 */
import { cloudSuffixOf, normalizeHost } from '../../../protocol/relay-hosts.ts';

/** `g0` to `g127`, and as many with `gv`. */
const GATEWAYS_A_KIND = 128;
const KINDS = ['g', 'gv'] as const;

/** Over a private endpoint a listener dials these ports, too (Microsoft's page on private endpoints of Azure Relay). */
export const PRIVATE_LINK_PORTS = '9400-9599';

/**
 * The stamp that a namespace lives on: `prod-am3-003` of `ns-prod-am3-003.cloudapp.net` or `ns-sb2-prod-am3-003…`.
 * Undefined when no alias tells.
 */
export function stampOf(aliases: readonly string[]): string | undefined {
  return aliases
    .filter((name) => !isPrivateLink(name))
    .map((name) => /^ns-(?:sb2-)?([a-z0-9-]+)\./i.exec(name)?.[1]?.toLowerCase())
    .find((stamp) => stamp !== undefined);
}

export function isPrivateLink(name: string): boolean {
  return normalizeHost(name).includes('.privatelink.');
}

/** The host names of all gateways of a stamp, those of the future among them. */
export function gatewayHosts(namespaceHost: string, stamp: string): string[] {
  const suffix = suffixOf(namespaceHost);
  return KINDS.flatMap((kind) =>
    Array.from({ length: GATEWAYS_A_KIND }, (_, index) => `${kind}${index}-${stamp}-sb.${suffix}`),
  );
}

/** What follows the namespace's name: of an unknown cloud all behind the first dot. */
export function suffixOf(namespaceHost: string): string {
  const host = normalizeHost(namespaceHost);
  return cloudSuffixOf(host) ?? host.slice(host.indexOf('.') + 1);
}
