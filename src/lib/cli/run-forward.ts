/** Runs local ports in the foreground: until a signal, until a first attempt is refused for good, or for a command. */
import { HcmError } from '../../protocol/errors.ts';
import { formatBind, type Bind, type StreamBind } from '../../protocol/target.ts';
import { connectionName } from '../../tunnel/emitter.ts';
import type { HttpPort, HttpPortOptions } from '../../tunnel/http-sender/http-port.ts';
import { startLocalPort, type LocalPort } from '../../tunnel/local-port.ts';
import type { Connection, SenderOptions } from '../../tunnel/options.ts';
import { Sender } from '../../tunnel/sender.ts';
import { startCommand, tunnelEnvironment, type RunningCommand } from './child-process.ts';
import type { EventPresenter } from './event-presenter.ts';
import { ForwardWatch } from './forward-watch.ts';
import { sayCommandEnded, sayStopping } from './grace-flag.ts';
import type { Output } from './output.ts';
import { statusOfSignal, untilStopped, type Ended } from './until-stopped.ts';

/** A connection, and where its local port is to be. */
export type Forward = ForwardBase & (RawForward | LogicalForward);

interface ForwardBase {
  connection: Connection;
  /** In turn, where `bind` cannot be had. */
  otherwise?: readonly StreamBind[];
  /** Where it leads, as far as that is known here. */
  target?: string;
  /** Of this one alone. */
  options?: Pick<SenderOptions, 'idleTimeoutMs'>;
}

interface RawForward {
  bind: StreamBind;
  /** Its clients speak HTTP, and their requests go through the relay as such. */
  http?: HttpPortOptions | undefined;
  logicalPort?: undefined;
}

interface LogicalForward {
  bind: Bind;
  /** Dialect azbridge: the name by which the listener knows the target. */
  logicalPort: string;
  http?: undefined;
}

/** What is to be opened. */
export interface ForwardPlan {
  forwards: readonly Forward[];
  /** More for the `ready` event, and more lines behind the list of ports. */
  about?: { fields: Record<string, unknown>; lines(open: readonly OpenPort[]): readonly string[] };
}

export interface ForwardRun extends ForwardPlan {
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
export type OpenPort = Forward & { port: AnyPort };

/** With a URL where it speaks HTTP. */
type AnyPort = LocalPort & Partial<Pick<HttpPort, 'url'>>;

/** Resolves with the exit status, the command's own where there is one. */
export async function runForward(run: ForwardRun): Promise<number> {
  const watch = new ForwardWatch();
  const open: OpenPort[] = [];
  const stopAll = async (graceMs: number) =>
    void (await Promise.all(open.map(({ port }) => port.stop({ graceMs }))));
  try {
    for (const forward of run.forwards) {
      const onEvent = watch.handler(run.events.onEvent, run.keepTrying || run.command !== undefined);
      const sender = new Sender(forward.connection, { ...run.options, ...forward.options, onEvent });
      open.push({ ...forward, port: await bindFirst(forward, sender, run.output) });
    }
    const { command, events, graceMs } = run;
    const ready = () => sayReady(run, open);
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

/** The port at the address that is wanted, else at another one; rejects with what became of the last. */
async function bindFirst(forward: Forward, sender: Sender, output: Output): Promise<AnyPort> {
  const { bind, otherwise } = forward;
  try {
    return await startPort(forward, sender);
  } catch (error) {
    if (!(error instanceof HcmError) || otherwise === undefined) throw error;
    const port = await otherwise.reduce(
      (attempt, other) => attempt.catch(() => startPort({ ...forward, bind: other }, sender)),
      Promise.reject<AnyPort>(error),
    );
    output.warn(`${error.message}; ${port.bind} takes the place of ${formatBind(bind)}`);
    return port;
  }
}

/** What speaks HTTP or azbridge is loaded only for those who want it. */
async function startPort(forward: Forward, sender: Sender): Promise<AnyPort> {
  if (forward.logicalPort !== undefined) {
    const { startLogicalPort } = await import('../../tunnel/azbridge/local-logical-port.ts');
    return startLogicalPort(forward.bind, sender, forward.logicalPort);
  }
  const { bind, http } = forward;
  if (http === undefined) return startLocalPort(bind, sender);
  const { startHttpPort } = await import('../../tunnel/http-sender/http-port.ts');
  return startHttpPort(bind, sender, http);
}

function sayReady({ events, about }: ForwardRun, open: readonly OpenPort[]): void {
  const binds = open.map(({ connection, port, target, logicalPort }) => ({
    connection: connectionName(connection),
    bind: port.bind,
    ...(logicalPort === undefined ? {} : { port: logicalPort }),
    ...(port.url === undefined ? {} : { url: port.url }),
    ...(target === undefined ? {} : { target }),
  }));
  const [first] = binds;
  const lines = binds.map(({ connection, bind, url = bind, target, port }) => {
    const through = port === undefined ? connection : `${connection}, port ${port}`;
    return target === undefined ? `${url} -> ${through}` : `${url} -> ${target} (${through})`;
  });
  if (about) events.ready({ ...about.fields, binds }, [...lines, ...about.lines(open)]);
  else events.ready(binds.length === 1 && first ? first : { binds }, lines);
}

/** By the names of logical ports and connections; where two have the same one, what stands above it goes in front. */
export function environmentOf(
  open: readonly {
    connection: Connection;
    port: Pick<AnyPort, 'bind' | 'url'>;
    logicalPort?: string | undefined;
  }[],
): Record<string, string> {
  const candidates = open.map(({ connection: { endpoint, path }, logicalPort }) => {
    const whole = [
      endpoint.host.split('.')[0] ?? '',
      path,
      ...(logicalPort === undefined ? [] : [logicalPort]),
    ];
    // From the shortest on: the last part, the last two, all of them.
    return whole.map((_, index) => whole.slice(whole.length - 1 - index).join('/')).slice(0, whole.length);
  });
  return tunnelEnvironment(
    open.map(({ port: { bind, url } }, index) => {
      const others = new Set(candidates.flatMap((names, at) => (at === index ? [] : names.map(lower))));
      const own = candidates[index] ?? [];
      return { name: own.find((name) => !others.has(lower(name))) ?? own.at(-1) ?? '', bind, url };
    }),
  );
}

function lower(name: string): string {
  return name.toLowerCase();
}
