/** Proof: the name of the namespace leads somewhere; which gateways are behind it, and whether a private endpoint is. */
import { BlockList, isIP } from 'node:net';
import { HcmError } from '../../../protocol/errors.ts';
import { cloudSuffixOf, isLoopbackName } from '../../../protocol/relay-hosts.ts';
import { isPrivateLink, PRIVATE_LINK_PORTS } from '../firewall/gateways.ts';
import type { Case } from './proof.ts';
import { ok, warning, type Finding } from './report.ts';

export async function proveNames({ way }: Case): Promise<Finding> {
  const { host, proxy } = way;
  if (isLoopbackName(host)) return ok(`${host} is this machine`);
  if (isIP(host)) return ok(`${host} is an address already`);
  try {
    return await found(way);
  } catch (error) {
    if (!(error instanceof HcmError) || proxy === undefined) throw error;
    return warning(error, `It need not: the proxy ${proxy.host}:${proxy.port} resolves it.`);
  }
}

async function found(way: Case['way']): Promise<Finding> {
  const { addresses, aliases } = await way.names();
  const { stamp, hosts } = await way.gateways();
  const known = hosts.filter(({ exists }) => exists).length;
  const privateLink = aliases.some(isPrivateLink) || (isAzure(way.host) && addresses.every(isPrivateAddress));
  const facts = {
    ...{ addresses, aliases, privateLink },
    ...(stamp === undefined ? {} : { stamp, gateways: { known, names: hosts.length } }),
  };
  const behind = stamp === undefined ? '' : `; ${known} gateways of ${stamp} behind it`;
  const ports = `; a private endpoint: a listener also dials ports ${PRIVATE_LINK_PORTS}`;
  return ok(`${way.host} is ${addresses.join(', ')}${behind}${privateLink ? ports : ''}`, facts);
}

function isAzure(host: string): boolean {
  return cloudSuffixOf(host) !== undefined;
}

/** RFC 1918 and RFC 4193: Azure's front doors have public addresses. */
function isPrivateAddress(address: string): boolean {
  const list = new BlockList();
  list.addSubnet('10.0.0.0', 8);
  list.addSubnet('172.16.0.0', 12);
  list.addSubnet('192.168.0.0', 16);
  list.addSubnet('fc00::', 7, 'ipv6');
  return list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
}
