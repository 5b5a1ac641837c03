/**
 * Logical ports as people write them: `NAME=ADDRESS`, or an ADDRESS that has a name by itself. The rules are azbridge's,
 * for both ends, on the command line and in files.
 */
import { PORT_NAME_MAX_BYTES } from '../protocol/azbridge.ts';
import type { TargetAddress } from '../protocol/target-address.ts';
import type { Bind } from '../protocol/target.ts';

/** Of relayed HTTP, whose requests name no logical port. */
const HTTP_NAMES: readonly string[] = ['http', 'https'];

/** Takes `NAME=ADDRESS` apart. What stands before `=` is no name in a path or a URL. */
export function splitNamed(text: string): { name: string | undefined; address: string } {
  const [, name, address] = /^([^=:/\\[\]][^=:\\[\]]*)=(.*)$/s.exec(text.trim()) ?? [];
  if (name === undefined || address === undefined) return { name: undefined, address: text };
  return { name: name.trim(), address };
}

/** Why a text cannot be the name of a logical port; undefined when it can. Characters as in azbridge. */
export function portNameFault(name: string): string | undefined {
  if (name === '') return 'it is empty';
  if (!/^[0-9A-Za-z/_.-]+$/.test(name)) return 'only letters, digits and / _ - . are allowed in it';
  // Such characters have one byte each.
  return name.length > PORT_NAME_MAX_BYTES
    ? `it has ${name.length} characters, and ${PORT_NAME_MAX_BYTES} are possible`
    : undefined;
}

/** The name that an address has by itself: its port, with a U for UDP; of HTTP, its scheme. A socket has none. */
export function ownPortName(address: TargetAddress | Bind): string | undefined {
  switch (address.kind) {
    case 'tcp':
      return address.port === 0 ? undefined : String(address.port);
    case 'udp':
      return address.port === 0 ? undefined : `${address.port}U`;
    case 'http':
      return address.secure ? 'https' : 'http';
    case 'unix':
      return undefined;
  }
}

/** Why a target cannot have this name; undefined when it can. */
export function namedTargetFault(name: string, address: TargetAddress): string | undefined {
  const fault = portNameFault(name);
  if (fault !== undefined) return fault;
  return address.kind === 'http' && !HTTP_NAMES.includes(name)
    ? 'requests come without a logical port: an HTTP target has the name http or https'
    : undefined;
}

/** The names of the HTTP targets, of which one connection can have one. */
export function httpPortNames(ports: ReadonlyMap<string, TargetAddress>): string[] {
  return [...ports].filter(([, address]) => address.kind === 'http').map(([name]) => name);
}
