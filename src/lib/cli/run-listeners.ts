/** Runs listeners in the foreground until a signal or until one of them cannot go on. */
import type { Connection, ListenerOptions } from '../../tunnel/options.ts';
import { connectionName } from '../../tunnel/emitter.ts';
import { HybridConnectionListener } from '../../tunnel/listener.ts';
import type { EventPresenter } from './event-presenter.ts';
import { sayStopping } from './grace-flag.ts';
import { untilStopped } from './until-stopped.ts';

/** A connection, and how it is listened on. */
export interface WantedListener {
  connection: Connection;
  options: ListenerOptions;
}

export interface ListenRun {
  listeners: readonly WantedListener[];
  events: EventPresenter;
  graceMs: number;
}

/** Resolves with the exit status; rejects with the HcmError on which a first attempt ended. */
export async function runListeners({ listeners: wanted, events, graceMs }: ListenRun): Promise<number> {
  const listeners = wanted.map(
    ({ connection, options }) =>
      new HybridConnectionListener(connection, { ...options, onEvent: events.onEvent }),
  );
  const names = wanted.map(({ connection }) => connectionName(connection));
  const fields = names.length === 1 ? { connection: names[0] } : {};
  const stopAll = (grace: number) =>
    Promise.all(listeners.map((listener) => listener.stop({ graceMs: grace })));
  try {
    const { exitStatus } = await untilStopped({
      begin: () => {
        events.ready({ ...fields, connections: names }, []);
        for (const listener of listeners) listener.start();
        return Promise.race(listeners.map(failure));
      },
      stop: async () => void (await stopAll(graceMs)),
      abort: async () => void (await stopAll(0)),
      onStopping: () => sayStopping(events, openStreams(listeners), graceMs),
    });
    return exitStatus;
  } finally {
    await stopAll(0);
  }
}

async function failure(listener: HybridConnectionListener): Promise<void> {
  const error = await listener.ended;
  if (error !== undefined) throw error;
}

function openStreams(listeners: readonly HybridConnectionListener[]): number {
  return listeners.reduce((sum, { openStreams }) => sum + openStreams, 0);
}
