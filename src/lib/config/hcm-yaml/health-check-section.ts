/**
 * The key `healthCheck` of a listener: `tcp`, `http`, or a mapping with a path and an interval. What cannot be asked of
 * the listener's targets is a fault.
 */
import { childPointer } from './document.ts';
import type { HealthCheck, ListenerTargets } from './manager-declaration.ts';
import type { SectionValues } from './section-values.ts';

/** The shape that the schema has made sure of. */
export type HealthCheckNode = string | { tcp?: boolean; http?: string; everySeconds?: number };

const FORMS = 'tcp, http, {http: /health, everySeconds: 5} or {tcp: true, everySeconds: 5}';

export function readHealthCheck(
  node: HealthCheckNode | undefined,
  targets: ListenerTargets,
  pointer: string,
  values: SectionValues,
): HealthCheck | undefined {
  if (node === undefined) return undefined;
  const check = typeof node === 'string' ? checkOfText(node) : checkOfMapping(node, pointer, values);
  if (check === undefined) {
    if (typeof node === 'string')
      values.fault(pointer, `expected ${FORMS}, found "${values.shown(node, pointer)}"`);
    return undefined;
  }
  const why = misfit(check, targets);
  if (why !== undefined) values.keyFault(pointer, why);
  return check;
}

function checkOfText(text: string): HealthCheck | undefined {
  return text === 'tcp' || text === 'http' ? { kind: text } : undefined;
}

function checkOfMapping(
  { tcp, http, everySeconds }: Exclude<HealthCheckNode, string>,
  pointer: string,
  values: SectionValues,
): HealthCheck | undefined {
  const every = everySeconds === undefined ? {} : { everyMs: everySeconds * 1_000 };
  if ((tcp === undefined) === (http === undefined)) {
    values.keyFault(pointer, 'needs one of the two, "tcp: true" or "http: /PATH"');
    return undefined;
  }
  if (http === undefined) {
    if (tcp === true) return { kind: 'tcp', ...every };
    values.fault(childPointer(pointer, 'tcp'), 'is true, or is left out together with "healthCheck"');
    return undefined;
  }
  if (/^\/[\x21-\x7e]*$/.test(http) && !http.includes('#')) return { kind: 'http', path: http, ...every };
  const at = childPointer(pointer, 'http');
  values.fault(at, `expected a path such as /health, percent-encoded, found "${values.shown(http, at)}"`);
  return undefined;
}

/** Why these targets cannot be asked so. */
function misfit({ kind }: HealthCheck, targets: ListenerTargets): string | undefined {
  if (targets.dialect === 'azbridge') {
    if (kind === 'http') return 'http goes with the dialect raw; the targets of azbridge are asked by tcp';
    const [udp] = [...targets.ports].find(([, address]) => address.kind === 'udp') ?? [];
    return udp === undefined ? undefined : `cannot ask the UDP target of "${udp}" whether it is there`;
  }
  if (kind === 'http' && targets.target?.kind === 'unix')
    return 'http goes with HOST:PORT and http(s):// targets; a Unix socket is asked by tcp';
  return undefined;
}
