/** The bindings of azbridge's forwards: addresses, ports that are negative or end in U for UDP, sockets, logical names. */
import { isIP, isIPv6 } from 'node:net';
import { parseTargetAddress, type TargetAddress } from '../../../protocol/target-address.ts';
import { formatTarget, parseBind, type Bind } from '../../../protocol/target.ts';
import { HcmError } from '../../../protocol/errors.ts';
import { namedTargetFault, ownPortName, portNameFault } from '../../logical-ports.ts';
import type { ImportNode } from './import-node.ts';

/** A logical port and where it leads, or where it is bound. */
export interface NamedPort<T> {
  readonly name: string;
  readonly address: T;
  readonly node: ImportNode;
}

const MAX_PORT = 65_535;
const HTTP_PORTS = { http: 80, https: 443 } as const;

/** A binding of LocalForward. Undefined after a fault. */
export function readBind(node: ImportNode, gatewayPorts: boolean): NamedPort<Bind> | undefined {
  const socket = node.text('BindLocalSocket');
  const port = readPort(node, 'BindPort');
  if (socket !== undefined) return readSocket(node, 'BindLocalSocket', socket, port !== undefined, parseBind);
  if (port === undefined)
    return node.has('BindPort')
      ? undefined
      : node.fault('BindPort', 'there is neither BindPort nor BindLocalSocket');
  const host = bindHost(node, gatewayPorts);
  const text = `${port.udp ? 'udp:' : ''}${formatTarget({ host, port: port.number })}`;
  return named(
    node,
    parsed(node, 'BindAddress', () => parseBind(text, { udp: true })),
    portNameFault,
  );
}

/** A binding of RemoteForward. Undefined after a fault. */
export function readTarget(node: ImportNode): NamedPort<TargetAddress> | undefined {
  if (node.flag('Insecure'))
    node.warn(
      'Insecure',
      'not taken over: hcm checks the certificate of an https target; trust its CA with --ca-file',
    );
  const socket = node.text('LocalSocket');
  if (node.flag('Http')) return readHttp(node);
  if (node.text('Path') !== undefined) node.warn('Path', 'goes with Http: left out');
  const port = readPort(node, 'HostPort');
  if (socket !== undefined)
    return readSocket(node, 'LocalSocket', socket, port !== undefined, parseTargetAddress);
  if (port === undefined)
    return node.has('HostPort')
      ? undefined
      : node.fault('HostPort', 'there is neither HostPort nor LocalSocket');
  const host = node.text('Host') ?? 'localhost';
  const text = `${port.udp ? 'udp' : 'tcp'}:${formatTarget({ host: bare(host), port: port.number })}`;
  return named(
    node,
    parsed(node, 'Host', () => parseTargetAddress(text)),
    namedTargetFault,
  );
}

function readHttp(node: ImportNode): NamedPort<TargetAddress> | undefined {
  const port = readPort(node, 'HostPort');
  if (port?.udp) return node.fault('HostPort', 'HTTP has no UDP port');
  const written = node.text('PortName');
  if (written !== undefined && !/^https?$/i.test(written))
    return node.fault(
      'PortName',
      `with Http it is http or https, and says which of the two; found "${written}"`,
    );
  const name = written?.toLowerCase() ?? (port?.number === HTTP_PORTS.https ? 'https' : 'http');
  if (written === undefined) node.warn('Http', `azbridge wants PortName, too: taken is "${name}"`);
  const path = node.text('Path') ?? '';
  if (path !== '')
    node.warn('Path', 'azbridge takes it on its command line only: taken over as the base of the target');
  const number = port?.number ?? HTTP_PORTS[name as 'http' | 'https'];
  const host = formatTarget({ host: bare(node.text('Host') ?? 'localhost'), port: number });
  const address = parsed(node, 'Host', () =>
    parseTargetAddress(`${name}://${host}/${path.replace(/^\/+/, '')}`),
  );
  return address && { name, address, node };
}

function readSocket<T extends Bind | TargetAddress>(
  node: ImportNode,
  key: string,
  socket: string,
  hasPort: boolean,
  parse: (text: string) => T,
): NamedPort<T> | undefined {
  if (hasPort) node.warn(key, 'counts, and the port beside it does not, as in azbridge');
  const path = socket.replace(/^unix:(?:\/\/(?=\/))?/i, '');
  if (!path.startsWith('/'))
    node.warn(key, `"${path}" begins at the folder of the new file, and in azbridge where that was started`);
  const address = parsed(node, key, () => parse(`unix:${path}`));
  if (node.text('PortName') !== undefined) return named(node, address, portNameFault);
  node.warn(
    key,
    `a socket has no port to be named after: the logical port is called "${path}", as azbridge's documents have it`,
  );
  return named(node, address, portNameFault, path);
}

function named<T extends Bind | TargetAddress>(
  node: ImportNode,
  address: T | undefined,
  faultOf: (name: string, address: T) => string | undefined,
  fallback?: string,
): NamedPort<T> | undefined {
  if (address === undefined) return undefined;
  const name = node.text('PortName') ?? fallback ?? ownPortName(address) ?? '';
  const fault = faultOf(name, address);
  return fault === undefined
    ? { name, address, node }
    : node.fault('PortName', `"${name}" cannot be the name of a logical port: ${fault}`);
}

function readPort(node: ImportNode, key: string): { number: number; udp: boolean } | undefined {
  const text = node.text(key);
  if (text === undefined) return undefined;
  const [, minus, digits, suffix] = /^(-?)(\d+)(U?)$/i.exec(text) ?? [];
  const number = Number(digits);
  if (digits === undefined || (minus && suffix) || number < 1 || number > MAX_PORT)
    return node.fault(key, `expected a number from 1 to ${MAX_PORT}, negative for UDP, found "${text}"`);
  if (suffix)
    node.warn(
      key,
      `taken as UDP port ${digits}; in a file azbridge wants -${digits}, and reads "${text}" as another port`,
    );
  return { number, udp: Boolean(minus || suffix) };
}

/** Its documents bind to all addresses without BindAddress; its code fails; we stay on this machine. */
function bindHost(node: ImportNode, gatewayPorts: boolean): string {
  const written = node.text('BindAddress');
  if (written === undefined) {
    node.warn(
      'BindPort',
      gatewayPorts
        ? 'has no BindAddress, and GatewayPorts is true: bound to all addresses, 0.0.0.0'
        : "has no BindAddress: bound to 127.0.0.1; azbridge's documents have all addresses, 0.0.0.0",
    );
    return gatewayPorts ? '0.0.0.0' : '127.0.0.1';
  }
  const host = bare(written).toLowerCase();
  if (['0.0.0.0', '::', 'any', 'anyv6', '*'].includes(host)) {
    node.warn('BindAddress', 'all addresses: other machines can use this port');
    return host === '::' || host === 'anyv6' ? '::' : '0.0.0.0';
  }
  if (host === 'localhost') return '127.0.0.1';
  if (isIP(host) === 0)
    node.warn(
      'BindAddress',
      `"${written}" is a name: it is looked up when hcm starts, and may become another address`,
    );
  return host;
}

/** IPv6 stands with or without brackets. */
function bare(host: string): string {
  const inner = host.replace(/^\[(.*)\]$/, '$1');
  return isIPv6(inner) ? inner : host;
}

function parsed<T>(node: ImportNode, key: string, parse: () => T): T | undefined {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof HcmError)) throw error;
    return node.fault(key, error.message.replace(/\.$/, ''));
  }
}
