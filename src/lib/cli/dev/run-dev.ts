/** Runs the whole path in the foreground and says how the same goes with Azure. */
import type { StreamBind, Target } from '../../../protocol/target.ts';
import { warnIfOpenToNetwork } from '../forward-targets.ts';
import { sayStopping } from '../grace-flag.ts';
import type { EventPresenter } from '../event-presenter.ts';
import type { Output } from '../output.ts';
import { untilStopped } from '../until-stopped.ts';
import { LocalPath, type LocalPathOptions } from './local-path.ts';

export interface DevRun {
  target: Target | undefined;
  bind: StreamBind;
  output: Output;
  events: EventPresenter;
  graceMs: number;
}

/** Resolves with the exit status; rejects when the path does not come about. */
export async function runDev({ target, bind, output, events, graceMs }: DevRun): Promise<number> {
  let ready = false;
  const onEvent: LocalPathOptions['onEvent'] = (event, half) => {
    if (ready && path.isProbe(event)) return;
    // A program waits for `ready` first. A person wants to know why it does not come, and each stream once.
    const forPerson = events.verbose || event.event === 'reconnecting' || (ready && half === 'sender');
    if (events.json ? ready : forPerson) events.onEvent(event);
  };
  warnIfOpenToNetwork(bind, output);
  const path = new LocalPath({ target, bind, output, onEvent });
  const begin = async () => {
    await path.start();
    const { route } = path;
    const fields = { url: urlOf(route.bind), bind: route.bind, target: route.target };
    ready = true;
    events.readyWithSecrets(
      { ...fields, emulator: { event: 'ready', ...path.azure.describe() } },
      readyLines(path, target === undefined),
    );
    return path.failed();
  };
  try {
    const { exitStatus } = await untilStopped({
      begin,
      // Before it is ready, the only stream is the probe.
      stop: () => path.stop(ready ? graceMs : 0),
      abort: () => path.stop(0),
      onStopping: () => sayStopping(events, ready ? path.openStreams : 0, graceMs),
    });
    return exitStatus;
  } finally {
    await path.stop(0);
  }
}

function urlOf(bind: string): string {
  return bind.startsWith('unix:') ? bind : `http://${bind}/`;
}

/** How to ask a target that speaks HTTP. */
function curlOf(bind: string): string {
  return bind.startsWith('unix:')
    ? `curl --unix-socket ${bind.slice('unix:'.length)} http://localhost/`
    : `curl ${urlOf(bind)}`;
}

/** Only the sample is known to speak HTTP. */
function readyLines(path: LocalPath, hasSample: boolean): string[] {
  const { bind, relay, connection, target } = path.route;
  return [
    'The whole path works: app -> forward -> relay -> listener -> target',
    '',
    `  ${hasSample ? urlOf(bind) : bind}`,
    '',
    `  app       ${hasSample ? `whatever connects there: ${curlOf(bind)}` : `whatever connects there; if the target speaks HTTP: ${curlOf(bind)}`}`,
    `  forward   local port ${bind}`,
    `  relay     ${relay} (the emulator), hybrid connection "${connection}"`,
    `  listener  in this process, too`,
    `  target    ${target}`,
    '',
    'The same with Azure:',
    '',
    '  1. a namespace and a hybrid connection, once',
    '     hcm login',
    '     hcm namespace create NAMESPACE --resource-group GROUP --location REGION',
    `     hcm connection create NAMESPACE/${connection} --target ${hasSample ? 'HOST:PORT' : target}`,
    '  2. on the private side',
    `     hcm listen NAMESPACE/${connection}`,
    '  3. on your machine',
    `     hcm forward NAMESPACE/${connection} --bind ${bind}`,
    '',
    'Ctrl-C ends all of it.',
  ];
}
