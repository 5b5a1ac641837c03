/** Prints the manager's log: the newest lines, and those that come. */
import { HcmError } from '../../../protocol/errors.ts';
import type { ControlClient } from '../../../manager/control/control-client.ts';
import type { EventView } from '../../../manager/control/operations.ts';
import type { Output } from '../output.ts';
import { untilStopped } from '../until-stopped.ts';
import { logLine } from './manager-presenter.ts';

export interface LogsRun {
  client: ControlClient;
  output: Output;
  json: boolean;
  lines: number;
  follow: boolean;
}

/** Resolves with the exit status. @throws HcmError HCM_NOT_RUNNING, also when the manager ends meanwhile. */
export async function printLogs({ client, output, json, lines, follow }: LogsRun): Promise<number> {
  const print = (event: EventView) => (json ? output.json(event) : output.answer(logLine(event)));
  for (const event of await client.logs(lines)) print(event);
  if (!follow) return 0;
  const leaving = new AbortController();
  const leave = () => Promise.resolve(leaving.abort());
  const { exitStatus } = await untilStopped({
    begin: async () => {
      for await (const event of client.events(leaving.signal)) if (event.event !== 'snapshot') print(event);
      throw new HcmError('HCM_NOT_RUNNING', 'The manager has ended.');
    },
    stop: leave,
    abort: leave,
  });
  return exitStatus;
}
