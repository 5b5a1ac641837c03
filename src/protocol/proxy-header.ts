/**
 * The PROXY protocol's binary header (version 2), as HAProxy's proxy-protocol.txt 2.2 has it: who is behind a TCP
 * connection, told to its server before the first byte. Writing only.
 */
import { isIP, isIPv4 } from 'node:net';

export interface ProxyEndpoint {
  readonly address: string;
  readonly port: number;
}

export interface ProxyHeaderFields {
  /** The client's. Not an IP address, or undefined: nothing is claimed about either end. */
  source: ProxyEndpoint | undefined;
  /** Where it was led to; undefined (a Unix socket has none) is written as zeros. */
  destination: ProxyEndpoint | undefined;
  /** PP2_TYPE_UNIQUE_ID. More than 128 bytes are left out: a part of it would be another name. */
  id?: string | undefined;
}

const SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
/** Version 2, command PROXY. Never LOCAL: that makes the connection the proxy's own, which servers may trust more. */
const VERSION_AND_COMMAND = 0x21;
const FAMILY = { unspecified: 0x00, tcpOverIPv4: 0x11, tcpOverIPv6: 0x21 };
const TYPE_UNIQUE_ID = 0x05;
const UNIQUE_ID_MAX_BYTES = 128;

/**
 * The whole header, to be sent at once. A source and a destination of two families are both written as IPv6, the IPv4
 * one as `::ffff:a.b.c.d`. An unknown source is the family "unspecified": the server uses the connection's own
 * addresses, or refuses it.
 */
export function proxyHeader({ source, destination, id }: ProxyHeaderFields): Buffer {
  const from = source && plainEndpoint(source);
  const { family, addresses } = from
    ? addressBlock(from, destination && plainEndpoint(destination))
    : { family: FAMILY.unspecified, addresses: Buffer.alloc(0) };
  const rest = Buffer.concat([addresses, uniqueId(id)]);
  const head = Buffer.from([VERSION_AND_COMMAND, family, rest.length >> 8, rest.length & 0xff]);
  return Buffer.concat([SIGNATURE, head, rest]);
}

function addressBlock(
  from: ProxyEndpoint,
  to: ProxyEndpoint | undefined,
): { family: number; addresses: Buffer } {
  const inIPv4 = isIPv4(from.address) && (to === undefined || isIPv4(to.address));
  const { address, port } = to ?? { address: inIPv4 ? '0.0.0.0' : '::', port: 0 };
  const bytesOf = inIPv4 ? ipv4Bytes : ipv6Bytes;
  const ports = Buffer.alloc(4);
  ports.writeUInt16BE(from.port, 0);
  ports.writeUInt16BE(port, 2);
  return {
    family: inIPv4 ? FAMILY.tcpOverIPv4 : FAMILY.tcpOverIPv6,
    addresses: Buffer.concat([bytesOf(from.address), bytesOf(address), ports]),
  };
}

/** Without brackets and zone, IPv4 inside IPv6 as IPv4; undefined where it is no IP address or no port. */
function plainEndpoint({ address, port }: ProxyEndpoint): ProxyEndpoint | undefined {
  const bare = address.replace(/^\[(.*)\]$/, '$1').replace(/%.*$/, '');
  if (isIP(bare) === 0 || !Number.isInteger(port) || port < 0 || port > 65_535) return undefined;
  const bytes = ipv6Bytes(bare);
  const isMapped = bytes.subarray(0, 12).equals(MAPPED_PREFIX);
  return { address: isMapped ? bytes.subarray(12).join('.') : bare, port };
}

const MAPPED_PREFIX = Buffer.from('00000000000000000000ffff', 'hex');

function ipv4Bytes(address: string): Buffer {
  return Buffer.from(address.split('.').map(Number));
}

function ipv6Bytes(address: string): Buffer {
  if (isIPv4(address)) return Buffer.concat([MAPPED_PREFIX, ipv4Bytes(address)]);
  // The URL parser writes an address in its one canonical form, without dots.
  const [front = '', back = ''] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::');
  const [before, behind] = [front, back].map((part) => (part === '' ? [] : part.split(':'))) as [
    string[],
    string[],
  ];
  const zeros = Array.from({ length: 8 - before.length - behind.length }, () => '0');
  return Buffer.from([...before, ...zeros, ...behind].map((word) => word.padStart(4, '0')).join(''), 'hex');
}

function uniqueId(id: string | undefined): Buffer {
  const value = Buffer.from(id ?? '');
  if (value.length === 0 || value.length > UNIQUE_ID_MAX_BYTES) return Buffer.alloc(0);
  return Buffer.concat([Buffer.from([TYPE_UNIQUE_ID, 0, value.length]), value]);
}
