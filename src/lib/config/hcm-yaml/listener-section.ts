/** A listener of section `manager:`: where it leads, and its limits. */
import { parseAllowRule } from '../../../protocol/allow-list.ts';
import { parseTargetAddress } from '../../../protocol/target-address.ts';
import { hostHeaderFault } from '../../host-header.ts';
import { httpPortNames, namedTargetFault } from '../../logical-ports.ts';
import { childPointer } from './document.ts';
import { readHealthCheck, type HealthCheckNode } from './health-check-section.ts';
import type { ListenerDeclaration, ListenerTargets } from './manager-declaration.ts';
import type { SectionValues } from './section-values.ts';
import { fitsDialect, inFolder, readPorts, readTunnel, type TunnelNode } from './tunnel-section.ts';

/** The shape that the schema has made sure of. */
export interface ListenerNode extends TunnelNode {
  target?: string;
  allow?: string[];
  maxStreams?: number;
  dialTimeout?: string;
  proxyProtocol?: 'v2';
  keepPath?: boolean;
  hostHeader?: string;
  healthCheck?: HealthCheckNode;
}

export function readListener(
  node: ListenerNode,
  pointer: string,
  values: SectionValues,
): ListenerDeclaration {
  const { maxStreams, proxyProtocol, keepPath = false, hostHeader } = node;
  const targets = readTargets(node, pointer, values);
  const healthCheck = readHealthCheck(
    node.healthCheck,
    targets,
    childPointer(pointer, 'healthCheck'),
    values,
  );
  const dialTimeoutMs = values.duration(node.dialTimeout, childPointer(pointer, 'dialTimeout'));
  const allow = node.allow?.flatMap((text, index) => {
    const at = childPointer(childPointer(pointer, 'allow'), index);
    return values.parsed(text, at, 'HOST:PORT or 10.0.0.0/8:FROM-TO', parseAllowRule) ?? [];
  });
  checkHttpKeys(node, targets, pointer, values);
  const headerAt = childPointer(pointer, 'hostHeader');
  const headerFault = hostHeader === undefined ? undefined : hostHeaderFault(hostHeader);
  if (headerFault !== undefined)
    values.fault(headerAt, `${headerFault}, found "${values.shown(hostHeader ?? '', headerAt)}"`);
  return {
    ...readTunnel(node, pointer, values),
    targets,
    keepPath,
    ...(allow === undefined ? {} : { allow }),
    ...(maxStreams === undefined ? {} : { maxStreams }),
    ...(dialTimeoutMs === undefined ? {} : { dialTimeoutMs }),
    ...(proxyProtocol === undefined ? {} : { proxyProtocol }),
    ...(hostHeader === undefined ? {} : { hostHeader }),
    ...(healthCheck === undefined ? {} : { healthCheck }),
  };
}

function readTargets(node: ListenerNode, pointer: string, values: SectionValues): ListenerTargets {
  const { dialect = 'raw', target, ports = {} } = node;
  const one = { key: 'target', isThere: target !== undefined, example: 'db.corp.local:5432' };
  if (!fitsDialect(node, one, pointer, values)) return { dialect: 'raw' };
  if (dialect === 'azbridge') {
    const at = childPointer(pointer, 'ports');
    const read = readPorts(ports, at, {
      values,
      forms: 'HOST:PORT, udp:HOST:PORT or unix:PATH',
      parse: parseTargetAddress,
      fault: namedTargetFault,
    });
    const [, second] = httpPortNames(read);
    if (second !== undefined)
      values.keyFault(childPointer(at, second), 'is a second HTTP target, and a connection can have one');
    return { dialect, ports: read };
  }
  if (target === undefined) return { dialect };
  const at = childPointer(pointer, 'target');
  const forms = 'HOST:PORT, unix:PATH or http://HOST:PORT/BASE';
  const address = values.parsed(target, at, forms, (text) => inFolder(parseTargetAddress(text), values));
  if (address?.kind === 'udp')
    values.fault(at, 'a UDP target needs "dialect: azbridge" and a logical port in "ports"');
  return { dialect, ...(address === undefined ? {} : { target: address }) };
}

function checkHttpKeys(
  { target, keepPath = false, hostHeader }: ListenerNode,
  targets: ListenerTargets,
  pointer: string,
  values: SectionValues,
): void {
  const isHttp =
    targets.dialect === 'raw' ? targets.target?.kind === 'http' : httpPortNames(targets.ports).length > 0;
  // Of a target that cannot be read nobody knows.
  const isUnread = target !== undefined && targets.dialect === 'raw' && targets.target === undefined;
  if (isHttp || isUnread) return;
  const fault = (key: string) =>
    values.keyFault(childPointer(pointer, key), 'goes with an http:// or https:// target');
  if (keepPath) fault('keepPath');
  if (hostHeader !== undefined) fault('hostHeader');
}
