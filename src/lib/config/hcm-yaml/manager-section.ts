/** Section `manager:` of hcm.yaml, once its shape is right: its listeners and forwards, and what collides among them. */
import { formatBind, type Bind } from '../../../protocol/target.ts';
import { childPointer, type PlainDocument } from './document.ts';
import type { Fault } from './faults.ts';
import { readForward, type ForwardNode } from './forward-section.ts';
import { readListener, type ListenerNode } from './listener-section.ts';
import type { ForwardDeclaration, ListenerDeclaration, ManagerDeclaration } from './manager-declaration.ts';
import { isSameConnection } from './same-connection.ts';
import { SectionValues } from './section-values.ts';

interface ManagerNode {
  listeners?: ListenerNode[] | null;
  forwards?: ForwardNode[] | null;
}

const LISTENERS = '/manager/listeners';
const FORWARDS = '/manager/forwards';

/** The declarations, and what is wrong with them: they are good for nothing unless `faults` is empty. */
export function readManagerSection(
  document: PlainDocument,
  folder: string,
): { manager: ManagerDeclaration; faults: Fault[] } {
  const { manager } = document.value as { manager: ManagerNode };
  const values = new SectionValues(document, folder);
  const listeners = (manager.listeners ?? []).map((node, index) =>
    readListener(node, childPointer(LISTENERS, index), values),
  );
  const forwards = (manager.forwards ?? []).map((node, index) =>
    readForward(node, childPointer(FORWARDS, index), values),
  );
  checkListenersOnce(listeners, values);
  checkBoundOnce(forwards, values);
  checkForwardsOnce(forwards, values);
  return { manager: { listeners, forwards }, faults: values.faults };
}

/** The relay would hand each stream to one of the two at random. */
function checkListenersOnce(listeners: readonly ListenerDeclaration[], values: SectionValues): void {
  for (const [index, { connection }] of listeners.entries()) {
    const isAbove = listeners.slice(0, index).some((one) => isSameConnection(one.connection, connection));
    const at = childPointer(childPointer(LISTENERS, index), 'connection');
    if (isAbove) values.fault(at, `"${values.shown(connection, at)}" has a listener already, above`);
  }
}

/** A connection may have several local ports; two entries that say the same are a slip, and give two free ports. */
function checkForwardsOnce(forwards: readonly ForwardDeclaration[], values: SectionValues): void {
  const seen = new Set<string>();
  for (const [index, { connection, binds }] of forwards.entries()) {
    const key = JSON.stringify([connection.toLowerCase(), binds], (_key, inner: unknown) =>
      inner instanceof Map ? [...inner] : inner,
    );
    const at = childPointer(childPointer(FORWARDS, index), 'connection');
    // Fixed addresses that stand twice are told by themselves.
    if (seen.has(key) && !hasFixedBind(binds))
      values.fault(
        at,
        `"${values.shown(connection, at)}" stands here twice with the same binds; give each a port`,
      );
    seen.add(key);
  }
}

function hasFixedBind(binds: ForwardDeclaration['binds']): boolean {
  const all =
    binds.kind === 'azbridge' ? [...binds.ports.values()] : binds.bind === undefined ? [] : [binds.bind];
  return all.some((bind) => bind.kind === 'unix' || bind.port !== 0);
}

function checkBoundOnce(forwards: readonly ForwardDeclaration[], values: SectionValues): void {
  const bound = new Set<string>();
  const check = (bind: Bind, at: string) => {
    if (bind.kind !== 'unix' && bind.port === 0) return;
    const text = formatBind(bind);
    if (bound.has(text)) values.fault(at, `"${values.shown(text, at)}" is bound already, above`);
    bound.add(text);
  };
  for (const [index, { binds }] of forwards.entries()) {
    const at = childPointer(FORWARDS, index);
    if (binds.kind === 'azbridge') {
      for (const [name, bind] of binds.ports) check(bind, childPointer(childPointer(at, 'ports'), name));
    } else if (binds.bind !== undefined) check(binds.bind, childPointer(at, 'bind'));
  }
}
