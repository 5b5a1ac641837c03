/** Runs local ports in the foreground: until a signal, until a first attempt is refused for good, or for a command. */
import type { Bind } from '../../protocol/target.ts';
import { connectionName } from '../../tunnel/emitter.ts';
import { startLocalPort, type LocalPort } from '../../tunnel/local-port.ts';
import type { Connection, SenderOptions } from '../../tunnel/options.ts';
import { Sender } from '../../tunnel/sender.ts';
import { startCommand, tunnelEnvironment, type RunningCommand } from './child-process.ts';
import type { EventPresenter } from './event-presenter.ts';
import { ForwardWatch } from './forward-watch.ts';
import { sayCommandEnded, sayStopping } from './grace-flag.ts';
import type { Output } from './output.ts';
import { statusOfSignal, untilStopped, type Ended } from './until-stopped.ts';

export interface ForwardRun {
  forwards: readonly { connection: Connection; bind: Bind }[];
  options: SenderOptions;
  events: EventPresenter;
  output: Output;
  graceMs: number;
  keepTrying: boolean;
  command: readonly string[] | undefined;
}

/** Streams of a command that has ended are mostly gone in a moment; nobody needs to hear about that. */
const QUIET_DRAIN_MS = 1_000;

/** A local port and whose it is. */
interface OpenPort {
  connection: Connection;
  port: LocalPort;
}

/** Resolves with the exit status, the command's own where there is one. */
export async function runForward(run: ForwardRun): Promise<number> {
  const watch = new ForwardWatch();
  const open: OpenPort[] = [];
  const stopAll = async (graceMs: number) =>
    void (await Promise.all(open.map(({ port }) => port.stop({ graceMs }))));
  try {
    for (const { connection, bind } of run.forwards) {
      const onEvent = watch.handler(run.events.onEvent, run.keepTrying || run.command !== undefined);
      const sender = new Sender(connection, { ...run.options, onEvent });
      open.push({ connection, port: await startLocalPort(bind, sender) });
    }
    const { command, events, graceMs } = run;
    const ready = () => sayReady(events, open);
    const { result, exitStatus } =
      command === undefined
        ? await untilStopped<never>({
            begin: () => {
              ready();
              return watch.refused;
            },
            stop: () => stopAll(graceMs),
            abort: () => stopAll(0),
            onStopping: () => sayStopping(events, watch.openStreams, graceMs),
          })
        : await whileRunning({
            start: () => {
              ready();
              return startCommand(command, environmentOf(open), run.output);
            },
            drain: () => drainAfterCommand(() => stopAll(graceMs), { run, watch }),
            cut: () => stopAll(0),
          });
    return result ?? exitStatus;
  } finally {
    await stopAll(0);
  }
}

/**
 * The command's status, once it has ended and its streams are drained. Its end is the first half of a stop: a signal
 * that comes later cuts what is left.
 */
function whileRunning(steps: {
  start(): RunningCommand;
  drain(): Promise<void>;
  cut(): Promise<void>;
}): Promise<Ended<number>> {
  let child: RunningCommand | undefined;
  let running = true;
  let whole: Promise<number> = Promise.resolve(0);
  const run = async () => {
    child = steps.start();
    const status = await child.ended;
    running = false;
    await steps.drain();
    return status;
  };
  return untilStopped({
    begin: () => (whole = run()),
    stop: async (signal) => {
      if (running) return whole;
      await steps.cut();
      return statusOfSignal(signal);
    },
    abort: async () => {
      child?.kill('SIGKILL');
      await child?.ended;
      await steps.cut();
    },
    onStopping: (signal) => running && child?.passOn(signal),
  });
}

/** What the command has sent may still be on its way, and its last connections in the port's queue. */
async function drainAfterCommand(
  drain: () => Promise<void>,
  { run: { events, graceMs }, watch }: { run: ForwardRun; watch: ForwardWatch },
): Promise<void> {
  // One whole turn of the event loop accepts all clients that wait.
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  const saying = setTimeout(() => sayCommandEnded(events, watch.openStreams, graceMs), QUIET_DRAIN_MS);
  await drain().finally(() => clearTimeout(saying));
}

function sayReady(events: EventPresenter, open: readonly OpenPort[]): void {
  const binds = open.map(({ connection, port }) => ({
    connection: connectionName(connection),
    bind: port.bind,
  }));
  const [first] = binds;
  events.ready(
    binds.length === 1 && first ? first : { binds },
    binds.map(({ connection, bind }) => `${bind} -> ${connection}`),
  );
}

function environmentOf(open: readonly OpenPort[]): Record<string, string> {
  return tunnelEnvironment(open.map(({ connection, port }) => ({ name: connection.path, bind: port.bind })));
}
