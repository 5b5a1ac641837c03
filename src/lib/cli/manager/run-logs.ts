/**
 * Prints the manager's log: the newest lines, and those that come. Without a manager its file is read, and whoever
 * follows waits for it.
 */
import { HcmError } from '../../../protocol/errors.ts';
import type { ControlClient } from '../../../manager/control/control-client.ts';
import type { EventView } from '../../../manager/control/operations.ts';
import { sleep, systemClock, type Clock } from '../../../tunnel/clock.ts';
import type { Output } from '../output.ts';
import { untilStopped } from '../until-stopped.ts';
import { readLogFile } from './log-file.ts';
import type { LogFilter } from './log-filter.ts';
import { logLine } from './manager-presenter.ts';

/** All that a manager keeps in memory: what is wanted is chosen here. */
const LINES_ASKED = 10_000;
const RETRY_MS = 1_000;
const NOTHING_FOUND = 'The log has no such line.';

export interface LogsRun {
  client: Pick<ControlClient, 'logs' | 'events'>;
  output: Output;
  json: boolean;
  lines: number;
  follow: boolean;
  filter: LogFilter;
  /** Where the log of this user's manager lies. */
  folder: string;
  clock?: Clock;
  signals?: NodeJS.EventEmitter;
}

/** Resolves with the exit status. @throws HcmError HCM_NOT_RUNNING when there is neither a manager nor a log. */
export async function printLogs(run: LogsRun): Promise<number> {
  const { client, follow, signals } = run;
  if (!follow) {
    const all = await orNoManager(client.logs(LINES_ASKED));
    const found = all instanceof HcmError ? await fromFile(run, all) : newest(run, all);
    print(run, found);
    if (found.length === 0 && run.lines > 0) run.output.say(NOTHING_FOUND);
    return 0;
  }
  const leaving = new AbortController();
  const leave = () => Promise.resolve(leaving.abort());
  const { exitStatus } = await untilStopped(
    { begin: () => followLog(run, leaving.signal), stop: leave, abort: leave },
    signals,
  );
  return exitStatus;
}

async function followLog(run: LogsRun, signal: AbortSignal): Promise<void> {
  const { client, output, clock = systemClock } = run;
  /** Of the last line that was printed or passed over. */
  let lastTime: string | undefined;
  let isTold = false;
  /** Lines that were asked for and will be told once more. */
  const printed = new Set<string>();

  const onEvent = async (event: EventView) => {
    isTold = false;
    if (event.event === 'snapshot') {
      const all = await client.logs(LINES_ASKED);
      const after = lastTime;
      print(
        run,
        after === undefined ? newest(run, all) : all.filter(({ time }) => time > after).filter(run.filter),
      );
      lastTime = all.at(-1)?.time ?? lastTime ?? '';
      printed.clear();
      for (const line of all.slice(-LINES_TWICE)) printed.add(JSON.stringify(line));
      return;
    }
    if (printed.delete(JSON.stringify(event))) return;
    lastTime = event.time;
    if (run.filter(event)) print(run, [event]);
  };

  while (!signal.aborted) {
    const lost = await orNoManager(forEach(client.events(signal), onEvent));
    if (signal.aborted) return;
    if (lost instanceof HcmError && lastTime === undefined) {
      const found = await fromFile(run, lost);
      print(run, found);
      lastTime = found.at(-1)?.time ?? '';
    }
    if (!isTold) output.say('Waiting for the manager.');
    isTold = true;
    await sleep(clock, RETRY_MS, signal).catch(() => undefined);
  }
}

/** More than can come between the first line of the events and the answer with the log. */
const LINES_TWICE = 1_000;

async function forEach(
  events: AsyncIterable<EventView>,
  act: (event: EventView) => Promise<void>,
): Promise<void> {
  for await (const event of events) await act(event);
}

/** What the file has; `error` when there is none. */
async function fromFile({ folder, lines, filter, output }: LogsRun, error: HcmError): Promise<EventView[]> {
  const found = await readLogFile(folder, { lines, filter });
  if (found === undefined) throw error;
  output.say(`No manager runs; this is the log in ${folder}`);
  return found;
}

function newest({ lines, filter }: LogsRun, all: readonly EventView[]): readonly EventView[] {
  return lines === 0 ? [] : all.filter(filter).slice(-lines);
}

function print({ output, json }: LogsRun, events: readonly EventView[]): void {
  for (const event of events) {
    if (json) output.json(event);
    else output.answer(logLine(event));
  }
}

/** Nobody is there: that is an answer here. */
async function orNoManager<T>(asked: Promise<T>): Promise<T | HcmError> {
  return asked.catch((error: unknown) => {
    if (error instanceof HcmError && error.code === 'HCM_NOT_RUNNING') return error;
    throw error;
  });
}
