// Looks into a running Node process through its inspector: which handles and timers it holds, and how many objects of
// a kind are alive after a garbage collection. So a leak shows as a number that grows, not as memory that may be freed
// later.
import { once } from 'node:events';
import { WebSocket } from 'ws';
import { freePort } from './servers/free-port.ts';

export interface Heap {
  /** What keeps its event loop alive, by kind: sockets, servers, timers. */
  handles(): Promise<Record<string, number>>;
  /** Live objects by the expression of their prototype, and the bytes of all objects as `used`. */
  alive(): Promise<Record<string, number>>;
  close(): void;
}

/** What a connection to the relay, a wait, or a subscription is made of. */
const KINDS = {
  sockets: "process.getBuiltinModule('net').Socket.prototype",
  aborts: 'AbortSignal.prototype',
  promises: 'Promise.prototype',
  errors: 'Error.prototype',
  buffers: 'ArrayBuffer.prototype',
  // A forgotten event listener is often no more than that.
  functions: 'Function.prototype',
};

/** The command line that lets the process be looked into, and how to begin. */
export async function lookable(): Promise<{
  wrap: (command: string, args: readonly string[]) => [string, string[]];
  look: () => Promise<Heap>;
}> {
  const port = await freePort();
  return {
    wrap: (command, args) => [command, [`--inspect=127.0.0.1:${port}`, ...args]],
    look: () => openHeap(port),
  };
}

async function openHeap(port: number): Promise<Heap> {
  const answer = await fetch(`http://127.0.0.1:${port}/json/list`);
  const [target] = (await answer.json()) as { webSocketDebuggerUrl: string }[];
  const socket = new WebSocket(target?.webSocketDebuggerUrl ?? '');
  await once(socket, 'open');
  let last = 0;
  const call = async <T>(method: string, params: object = {}): Promise<T> => {
    const id = (last += 1);
    socket.send(JSON.stringify({ id, method, params }));
    for (;;) {
      const [data] = (await once(socket, 'message')) as [Buffer];
      const message = JSON.parse(data.toString()) as { id?: number; result: T };
      if (message.id === id) return message.result;
    }
  };
  const evaluate = async <T>(expression: string): Promise<T> => {
    const { result } = await call<{ result: { value: T } }>('Runtime.evaluate', {
      expression,
      returnByValue: true,
    });
    return result.value;
  };
  return {
    handles: async () => tally(await evaluate<string[]>('process.getActiveResourcesInfo()')),
    alive: async () => {
      await call('HeapProfiler.collectGarbage');
      const counts: Record<string, number> = {};
      for (const [kind, prototype] of Object.entries(KINDS)) counts[kind] = await count(call, prototype);
      return { ...counts, used: await evaluate<number>('process.memoryUsage().heapUsed') };
    },
    close: () => socket.terminate(),
  };
}

/** `Runtime.queryObjects` finds what has this prototype, after a garbage collection of its own. */
async function count(
  call: <T>(method: string, params?: object) => Promise<T>,
  prototype: string,
): Promise<number> {
  const objectGroup = 'count';
  const { result } = await call<{ result: { objectId: string } }>('Runtime.evaluate', {
    expression: prototype,
    objectGroup,
  });
  const { objects } = await call<{ objects: { objectId: string } }>('Runtime.queryObjects', {
    prototypeObjectId: result.objectId,
    objectGroup,
  });
  const length = await call<{ result: { value: number } }>('Runtime.callFunctionOn', {
    objectId: objects.objectId,
    functionDeclaration: 'function () { return this.length; }',
    returnByValue: true,
  });
  await call('Runtime.releaseObjectGroup', { objectGroup });
  return length.result.value;
}

function tally(kinds: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const kind of kinds) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}
