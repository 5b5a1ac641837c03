/**
 * Shows what the manager runs, again and again: drawn in its place on a terminal, as events with --json, and whole at
 * each change elsewhere. Survives the manager: says that it waits for it, and goes on when it is back.
 */
import type { ControlClient } from '../../../manager/control/control-client.ts';
import type { EventView } from '../../../manager/control/operations.ts';
import { HcmError } from '../../../protocol/errors.ts';
import { sleep, systemClock, type Clock } from '../../../tunnel/clock.ts';
import type { Output } from '../output.ts';
import { toUserError } from '../to-user-error.ts';
import { untilStopped } from '../until-stopped.ts';
import { LiveScreen, type Terminal } from './live-screen.ts';

/** Ages are in seconds, and so are bytes that flow without an event. */
const REDRAW_MS = 1_000;
const RETRY_MS = 1_000;
/** Changes that a whole picture is printed for where none can be drawn anew. */
const TOLD = new Set(['snapshot', 'state', 'followed', 'problem']);

/** What one command shows. */
export interface Watched<T> {
  /** The command, as its picture is headed. */
  readonly title: string;
  read(): Promise<T>;
  lines(value: T, nowMs: number): readonly string[];
  /** Fields of the first line with --json. */
  snapshot(value: T): object;
  /** Whether the event is about it. */
  concerns(event: EventView): boolean;
}

export interface WatchRun {
  client: Pick<ControlClient, 'events'>;
  output: Output;
  json: boolean;
  /** Undefined: nothing can be drawn. */
  terminal: Terminal | undefined;
  clock?: Clock;
  signals?: NodeJS.EventEmitter;
}

/** stdout, where it can be drawn on. */
export function terminalOf(
  stdout: NodeJS.WriteStream,
  env: NodeJS.ProcessEnv = process.env,
): Terminal | undefined {
  return stdout.isTTY && env['TERM'] !== 'dumb' ? stdout : undefined;
}

/** Resolves with the exit status, 0 at Ctrl-C. @throws HcmError as `read` does, before the first time it succeeds. */
export async function watch<T>(watched: Watched<T>, run: WatchRun): Promise<number> {
  const leaving = new AbortController();
  const leave = () => Promise.resolve(leaving.abort());
  const view = await viewOf(watched, run);
  try {
    const { exitStatus } = await untilStopped(
      { begin: () => follow(run, view, leaving.signal), stop: leave, abort: leave },
      run.signals,
    );
    return exitStatus;
  } finally {
    view.close();
  }
}

/** How it is shown. */
interface View {
  on(event: EventView): void | Promise<void>;
  onLost(error: HcmError): void;
  onTick(): void | Promise<void>;
  close(): void;
}

async function viewOf<T>(watched: Watched<T>, run: WatchRun): Promise<View> {
  const { output, json, terminal, clock = systemClock } = run;
  // A manager that does not run, a connection that is not there: told as always, and nothing is watched.
  const first = await watched.read();
  if (json) return eventView(watched, output);
  return terminal ? drawnView(watched, first, { terminal, clock }) : printedView(watched, output, clock);
}

async function follow(
  { client, clock = systemClock }: WatchRun,
  view: View,
  signal: AbortSignal,
): Promise<void> {
  const stopTicking = tick(clock, () => view.onTick());
  try {
    while (!signal.aborted) {
      const lost = await followOnce(client, view, signal);
      if (signal.aborted) return;
      view.onLost(lost);
      await sleep(clock, RETRY_MS, signal).catch(() => undefined);
    }
  } finally {
    stopTicking();
  }
}

/** Resolves with why there are no more events; rejects with what waiting does not mend. */
async function followOnce(client: WatchRun['client'], view: View, signal: AbortSignal): Promise<HcmError> {
  try {
    for await (const event of client.events(signal)) await view.on(event);
  } catch (error) {
    if (signal.aborted || !(error instanceof HcmError) || error.code === 'HCM_NOT_RUNNING')
      return error as HcmError;
    throw error;
  }
  return new HcmError('HCM_NOT_RUNNING', 'The manager has ended.', { details: { next: 'hcm service run' } });
}

function eventView<T>(watched: Watched<T>, output: Output): View {
  let isLost = false;
  return {
    on: async (event) => {
      isLost = false;
      const { time = new Date().toISOString() } = event as { time?: string };
      if (event.event !== 'snapshot') return watched.concerns(event) ? output.json(event) : undefined;
      const value = await orNothing(watched.read());
      if (value !== undefined) output.json({ event: 'snapshot', time, ...watched.snapshot(value) });
    },
    onLost: (error) => {
      if (isLost) return;
      isLost = true;
      const { code, message, next } = toUserError(error);
      output.json({ event: 'waiting', time: new Date().toISOString(), error: { code, message, next } });
    },
    onTick: () => undefined,
    close: () => undefined,
  };
}

function printedView<T>(watched: Watched<T>, output: Output, clock: Clock): View {
  let isLost = false;
  return {
    on: async (event) => {
      isLost = false;
      if (!TOLD.has(event.event) || (event.event !== 'snapshot' && !watched.concerns(event))) return;
      const value = await orNothing(watched.read());
      if (value === undefined) return;
      output.answer(new Date(clock.nowMs()).toISOString());
      for (const line of watched.lines(value, clock.nowMs())) output.answer(line);
      output.answer('');
    },
    onLost: ({ message }) => {
      if (!isLost) output.say(`${message} Waiting for it.`);
      isLost = true;
    },
    onTick: () => undefined,
    close: () => undefined,
  };
}

function drawnView<T>(
  watched: Watched<T>,
  first: T,
  { terminal, clock }: { terminal: Terminal; clock: Clock },
): View {
  const screen = new LiveScreen(terminal);
  let value = first;
  let problem = '';
  let reading = false;
  let again = false;
  const draw = () => {
    const time = new Date(clock.nowMs()).toTimeString().slice(0, 8);
    screen.draw([
      `${watched.title}  ${time}  ${problem || 'Ctrl-C ends'}`,
      '',
      ...watched.lines(value, clock.nowMs()),
    ]);
  };
  /** One at a time; what comes meanwhile is read once more. */
  const refresh = async (): Promise<void> => {
    again = true;
    if (reading) return;
    reading = true;
    while (again) {
      again = false;
      try {
        value = await watched.read();
        problem = '';
      } catch (error) {
        problem = `${toUserError(error).message} Waiting for it.`;
      }
    }
    reading = false;
    draw();
  };
  screen.open();
  draw();
  return {
    on: () => void refresh(),
    onLost: ({ message }) => {
      problem = `${message} Waiting for it.`;
      draw();
    },
    onTick: () => void refresh(),
    close: () => screen.close(),
  };
}

/** What is gone since the event came is the next event's business. */
function orNothing<T>(reading: Promise<T>): Promise<T | undefined> {
  return reading.catch(() => undefined);
}

function tick(clock: Clock, act: () => void | Promise<void>): () => void {
  let cancel = () => undefined as void;
  const set = () => {
    cancel = clock.setTimer(REDRAW_MS, () => {
      void act();
      set();
    });
  };
  set();
  return () => cancel();
}
