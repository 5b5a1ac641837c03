/** Runs the whole path in the foreground and says how the same goes with Azure. */
import type { Bind, Target } from '../../../protocol/target.ts';
import { sayStopping } from '../grace-flag.ts';
import type { EventPresenter } from '../event-presenter.ts';
import type { Output } from '../output.ts';
import { untilStopped } from '../until-stopped.ts';
import { LocalPath, type LocalPathOptions } from './local-path.ts';

export interface DevRun {
  target: Target | undefined;
  bind: Bind;
  output: Output;
  events: EventPresenter;
  graceMs: number;
}

/** Resolves with the exit status; rejects when the path does not come about. */
export async function runDev({ target, bind, output, events, graceMs }: DevRun): Promise<number> {
  let ready = false;
  const onEvent: LocalPathOptions['onEvent'] = (event, half) => {
    // A program waits for `ready` first. A person wants to know why it does not come, and each stream once.
    const forPerson = events.verbose || event.event === 'reconnecting' || (ready && half === 'sender');
    if (events.json ? ready : forPerson) events.onEvent(event);
  };
  const path = new LocalPath({ target, bind, output, onEvent });
  const begin = async () => {
    await path.start();
    const { route } = path;
    const fields = { url: urlOf(route.bind), bind: route.bind, target: route.target };
    ready = true;
    events.readyWithSecrets(
      { ...fields, emulator: { event: 'ready', ...path.azure.describe() } },
      readyLines(path),
    );
    return path.failed();
  };
  try {
    const { exitStatus } = await untilStopped({
      begin,
      stop: () => path.stop(graceMs),
      abort: () => path.stop(0),
      onStopping: () => sayStopping(events, path.openStreams, graceMs),
    });
    return exitStatus;
  } finally {
    await path.stop(0);
  }
}

function urlOf(bind: string): string {
  return bind.startsWith('unix:') ? bind : `http://${bind}/`;
}

function readyLines(path: LocalPath): string[] {
  const { bind, relay, connection, target } = path.route;
  const azure = 'az relay hyco';
  const which = '-g GROUP --namespace-name NAMESPACE';
  return [
    'The whole path works: app -> forward -> relay -> listener -> target',
    '',
    `  ${urlOf(bind)}`,
    '',
    `  app       whatever connects to ${bind}: curl ${urlOf(bind)}`,
    `  forward   local port ${bind}`,
    `  relay     ${relay} (the emulator), hybrid connection "${connection}"`,
    `  listener  in this process, too`,
    `  target    ${target}`,
    '',
    'The same with Azure:',
    '',
    `  1. a hybrid connection and its two keys`,
    `     ${azure} create ${which} -n ${connection}`,
    ...['Listen', 'Send'].flatMap((right) => [
      `     ${azure} authorization-rule create ${which} --hybrid-connection-name ${connection} -n ${right.toLowerCase()} --rights ${right}`,
      `     ${azure} authorization-rule keys list ${which} --hybrid-connection-name ${connection} -n ${right.toLowerCase()} --query primaryConnectionString -o tsv > ${right.toLowerCase()}.txt`,
    ]),
    `  2. on the private side`,
    `     hcm listen --connection-string-file listen.txt --target ${target}`,
    `  3. on your machine`,
    `     hcm forward --connection-string-file send.txt --bind ${bind}`,
    '',
    'Ctrl-C ends all of it.',
  ];
}
