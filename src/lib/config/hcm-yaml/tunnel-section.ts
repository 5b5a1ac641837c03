/** What listeners and forwards of section `manager:` have in common: connection, access, dialect, logical ports. */
import { resolve } from 'node:path';
import { parseConnectionName } from '../../../protocol/entity-name.ts';
import { childPointer } from './document.ts';
import type { Access } from './manager-declaration.ts';
import type { SectionValues } from './section-values.ts';

/** The shape that the schema has made sure of. */
export interface TunnelNode {
  connection: string;
  connectionStringFile?: string;
  connectionString?: string;
  entra?: boolean;
  dialect?: 'raw' | 'azbridge';
  ports?: Record<string, string>;
  idleTimeout?: string;
}

export function readTunnel(node: TunnelNode, pointer: string, values: SectionValues) {
  const at = childPointer(pointer, 'connection');
  values.parsed(node.connection, at, 'NAMESPACE/NAME', parseConnectionName);
  const idleTimeoutMs = values.duration(node.idleTimeout, childPointer(pointer, 'idleTimeout'));
  return {
    connection: node.connection,
    access: readAccess(node, pointer, values),
    ...(idleTimeoutMs === undefined ? {} : { idleTimeoutMs }),
    at: values.document.origin(at).place,
  };
}

function readAccess(
  { connectionStringFile, connectionString, entra = false }: TunnelNode,
  pointer: string,
  values: SectionValues,
): Access {
  const ways = Object.entries({ connectionStringFile, connectionString, entra: entra || undefined });
  const [first, second] = ways.flatMap(([key, value]) => (value === undefined ? [] : [key]));
  if (first !== undefined && second !== undefined)
    values.keyFault(childPointer(pointer, second), `stands beside "${first}": one of the two is enough`);
  if (connectionStringFile !== undefined)
    return { kind: 'file', path: resolve(values.folder, connectionStringFile) };
  if (connectionString !== undefined) {
    // The schema has made sure that it is written as one variable.
    const { written = '' } = values.document.origin(childPointer(pointer, 'connectionString'));
    return { kind: 'variable', name: written.slice(2, -1), text: connectionString };
  }
  return { kind: entra ? 'entra' : 'azure' };
}

/** Raw may have the one key, azbridge needs `ports`; what does not fit is a fault. */
export function fitsDialect(
  { dialect = 'raw', ports }: TunnelNode,
  one: { key: string; isThere: boolean; example: string },
  pointer: string,
  values: SectionValues,
): boolean {
  const about = (key: string, what: string) => (values.keyFault(childPointer(pointer, key), what), false);
  if (dialect === 'raw')
    return ports === undefined || about('ports', `goes with "dialect: azbridge"; raw has one "${one.key}"`);
  if (one.isThere) return about(one.key, 'goes with the dialect raw; azbridge has "ports"');
  return (
    ports !== undefined || about('dialect', `azbridge needs "ports", such as ports: {db: "${one.example}"}`)
  );
}

/** The addresses by logical port; those with a fault are left out. */
export function readPorts<T extends object>(
  ports: Readonly<Record<string, string>>,
  pointer: string,
  read: {
    values: SectionValues;
    forms: string;
    parse(text: string): T;
    /** Of a name, with its address. */
    fault(name: string, address: T): string | undefined;
  },
): Map<string, T> {
  const found = new Map<string, T>();
  for (const [name, text] of Object.entries(ports)) {
    const at = childPointer(pointer, name);
    const address = read.values.parsed(text, at, read.forms, (one) => inFolder(read.parse(one), read.values));
    if (address === undefined) continue;
    found.set(name, address);
    const fault = read.fault(name, address);
    if (fault !== undefined) read.values.keyFault(at, `cannot be its name: ${fault}`);
  }
  return found;
}

/** The path of a Unix socket is taken from the folder of the file. */
export function inFolder<T extends object>(address: T, { folder }: SectionValues): T {
  const isPipe = (path: string) => path.startsWith('\\\\');
  return 'path' in address && typeof address.path === 'string' && !isPipe(address.path)
    ? { ...address, path: resolve(folder, address.path) }
    : address;
}
