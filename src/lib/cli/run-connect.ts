/** Joins stdin and stdout with one stream. The first signal ends our direction, the second aborts. */
import { PassThrough } from 'node:stream';
import { HcmError } from '../../protocol/errors.ts';
import { systemClock } from '../../tunnel/clock.ts';
import { connectionName } from '../../tunnel/emitter.ts';
import type { TunnelEvent } from '../../tunnel/events.ts';
import type { Connection, SenderOptions } from '../../tunnel/options.ts';
import { Sender } from '../../tunnel/sender.ts';
import { forwardStdio } from '../../tunnel/stdio.ts';
import type { EventPresenter } from './event-presenter.ts';
import { sayStopping } from './grace-flag.ts';
import { untilStopped } from './until-stopped.ts';

export interface ConnectRun {
  connection: Connection;
  /** Dialect azbridge: where it leads. Undefined: raw. */
  logicalPort?: string | undefined;
  options: SenderOptions;
  events: EventPresenter;
  graceMs: number;
}

/** Resolves with the exit status; rejects when the stream cannot be opened or breaks off. */
export async function runConnect(run: ConnectRun): Promise<number> {
  const { connection, logicalPort, options, events, graceMs } = run;
  let isOpen = false;
  const onEvent: SenderOptions['onEvent'] = (event) => {
    if (event.event === 'opened') isOpen = true;
    if (isShown(event, events)) events.onEvent(event);
  };
  const sender = new Sender(connection, { ...options, onEvent });
  // azbridge is loaded only for those who want it.
  const open =
    logicalPort === undefined
      ? undefined
      : (await import('../../tunnel/azbridge/local-logical-port.ts')).logicalPortHook(sender, logicalPort);
  const aborting = new AbortController();
  // stdin itself cannot be ended by us: a stream in between can. At a terminal, the far end's end is the end.
  const input = Object.assign(new PassThrough(), { isTTY: process.stdin.isTTY });
  let done: Promise<void> = Promise.resolve();
  const abort = () => {
    aborting.abort(new HcmError('HCM_ABORTED', 'The connection was stopped.'));
    return done.catch(() => undefined);
  };
  const { exitStatus } = await untilStopped({
    begin: () => {
      // For people, stdout has no room for an answer of ours and ssh shows what stderr says.
      const port = logicalPort === undefined ? {} : { port: logicalPort };
      if (events.json) events.ready({ connection: connectionName(connection), ...port }, []);
      process.stdin.pipe(input);
      const stdio = { input, output: process.stdout, signal: aborting.signal, open };
      return (done = forwardStdio(sender, stdio).then((error) => {
        if (error !== undefined && !aborting.signal.aborted) throw error;
      }));
    },
    stop: () => {
      // Nothing was sent that could be drained.
      if (!isOpen) return abort();
      process.stdin.unpipe(input);
      input.end();
      const cancel = systemClock.setTimer(graceMs, () => void abort());
      return done.catch(() => undefined).finally(cancel);
    },
    abort,
    onStopping: () => {
      // Whoever types wonders why it goes on; others have said what they wanted to.
      if (isOpen && process.stdin.isTTY) sayStopping(events, 1, graceMs);
    },
  });
  return exitStatus;
}

/** ssh shows what its ProxyCommand says: only what went wrong is worth it. */
function isShown(event: TunnelEvent, { json, verbose }: EventPresenter): boolean {
  return json || verbose || event.event === 'clock-skew';
}

/** @throws HcmError HCM_USAGE */
export function onlyOne<T>(items: readonly T[]): T {
  const [first] = items;
  if (first === undefined || items.length > 1) {
    throw new HcmError('HCM_USAGE', 'stdin and stdout carry one connection: give one connection string.');
  }
  return first;
}
