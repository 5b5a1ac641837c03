/** Runs local ports in the foreground: until a signal, until a first attempt is refused for good, or for a command. */
import type { Bind } from '../../protocol/target.ts';
import { connectionName } from '../../tunnel/emitter.ts';
import { startLocalPort, type LocalPort } from '../../tunnel/local-port.ts';
import type { Connection, SenderOptions } from '../../tunnel/options.ts';
import { Sender } from '../../tunnel/sender.ts';
import { startCommand, tunnelEnvironment, type RunningCommand } from './child-process.ts';
import type { EventPresenter } from './event-presenter.ts';
import { ForwardWatch } from './forward-watch.ts';
import { sayStopping } from './grace-flag.ts';
import type { Output } from './output.ts';
import { untilStopped, type Ended } from './until-stopped.ts';

export interface ForwardRun {
  forwards: readonly { connection: Connection; bind: Bind }[];
  options: SenderOptions;
  events: EventPresenter;
  output: Output;
  graceMs: number;
  keepTrying: boolean;
  command: readonly string[] | undefined;
}

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
    const { result, exitStatus } = command
      ? await whileRunning(() => {
          sayReady(events, open);
          return startCommand(command, environmentOf(open), run.output);
        })
      : await untilStopped<never>({
          begin: () => {
            sayReady(events, open);
            return watch.refused;
          },
          stop: () => stopAll(graceMs),
          abort: () => stopAll(0),
          onStopping: () => sayStopping(events, watch.openStreams, graceMs),
        });
    return result ?? exitStatus;
  } finally {
    await stopAll(0);
  }
}

function whileRunning(start: () => RunningCommand): Promise<Ended<number>> {
  let child: RunningCommand | undefined;
  const ended = () => child?.ended ?? Promise.resolve(0);
  return untilStopped({
    begin: () => (child = start()).ended,
    stop: ended,
    abort: async () => {
      child?.kill('SIGKILL');
      await ended();
    },
    onStopping: (signal) => child?.passOn(signal),
  });
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
