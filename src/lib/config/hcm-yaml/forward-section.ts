/** A forward of section `manager:`: what it binds on this machine. */
import { parseBind } from '../../../protocol/target.ts';
import { portNameFault } from '../../logical-ports.ts';
import { childPointer } from './document.ts';
import type { ForwardBinds, ForwardDeclaration } from './manager-declaration.ts';
import type { SectionValues } from './section-values.ts';
import { fitsDialect, inFolder, readPorts, readTunnel, type TunnelNode } from './tunnel-section.ts';

/** The shape that the schema has made sure of. */
export interface ForwardNode extends TunnelNode {
  bind?: string;
  http?: boolean;
  keepPath?: boolean;
}

export function readForward(node: ForwardNode, pointer: string, values: SectionValues): ForwardDeclaration {
  return { ...readTunnel(node, pointer, values), binds: readBinds(node, pointer, values) };
}

function readBinds(node: ForwardNode, pointer: string, values: SectionValues): ForwardBinds {
  const { dialect = 'raw', bind, http = false, keepPath = false, ports = {} } = node;
  if (keepPath && !http) values.keyFault(childPointer(pointer, 'keepPath'), 'goes with "http: true"');
  const one = { key: 'bind', isThere: bind !== undefined, example: '127.0.0.1:5432' };
  if (!fitsDialect(node, one, pointer, values)) return { kind: 'raw' };
  if (dialect === 'azbridge') {
    if (http) values.keyFault(childPointer(pointer, 'http'), 'goes with the dialect raw');
    const read = readPorts(ports, childPointer(pointer, 'ports'), {
      values,
      forms: '[ADDR:]PORT, udp:[ADDR:]PORT or unix:PATH',
      parse: (text) => parseBind(text, { udp: true }),
      fault: portNameFault,
    });
    return { kind: 'azbridge', ports: read };
  }
  const kind = http ? ({ kind: 'http', keepPath } as const) : ({ kind: 'raw' } as const);
  if (bind === undefined) return kind;
  const at = childPointer(pointer, 'bind');
  const parse = (text: string) => inFolder(parseBind(text, { udp: true }), values);
  const address = values.parsed(bind, at, '[ADDR:]PORT or unix:PATH', parse);
  if (address?.kind !== 'udp') return address === undefined ? kind : { ...kind, bind: address };
  values.fault(at, 'a UDP port needs "dialect: azbridge" and a logical port in "ports"');
  return kind;
}
