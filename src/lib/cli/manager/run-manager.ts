/** Runs the manager in the foreground until a signal: what a service starts, and what one types to try it. */
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { ConnectionTester } from '../../../manager/connection-test.ts';
import { logFile } from '../../../manager/event-log.ts';
import type { ReasonView } from '../../../manager/control/operations.ts';
import { ManagerService } from '../../../manager/manager-service.ts';
import { tunnelOpener } from '../../../manager/open-tunnel.ts';
import { fileSecrets } from '../../../manager/secrets.ts';
import { makeStoreFolder } from '../../../manager/store-folder.ts';
import { ConnectionStore, type SecretChoice } from '../../../manager/store.ts';
import type { ConnectionSpec } from '../../../manager/tunnel.ts';
import { targetQuestions } from '../../../manager/target-questions.ts';
import { HcmError } from '../../../protocol/errors.ts';
import { systemClock } from '../../../tunnel/clock.ts';
import type { TunnelOptions } from '../../../tunnel/options.ts';
import { parseManagerSection } from '../../config/hcm-yaml/load.ts';
import type { ManagerDeclaration } from '../../config/hcm-yaml/manager-declaration.ts';
import type { ProxySetting } from '../../services/doctor/scene.ts';
import { systemDns } from '../../services/firewall/dns.ts';
import type { ConnectionFlags } from '../connection-flags.ts';
import type { EventPresenter } from '../event-presenter.ts';
import { thisMachine } from '../this-machine.ts';
import type { Output } from '../output.ts';
import { untilStopped } from '../until-stopped.ts';
import { superviseBySystemd } from '../service/systemd-notify.ts';
import { openManaged, signedInHost } from './open-managed.ts';
import { logFolder, managerFolder, servedSocket, sharedWithGroup } from './manager-place.ts';
import { keyChoice, userKeychain } from './secret-choice.ts';
import { watchFile } from './watch-file.ts';
import { KeyFileWatch } from './watch-key-files.ts';

export interface ManagerRun {
  version: string;
  file: string | undefined;
  flags: ConnectionFlags;
  network: TunnelOptions;
  output: Output;
  events: EventPresenter;
  graceMs: number;
  proxySetting: ProxySetting;
  /** Where keys of `hcm add` go. */
  secrets: SecretChoice;
  /** Of the web server: its port, and the built page. */
  web: { port: number; folder: string } | undefined;
  env?: NodeJS.ProcessEnv;
}

/** Resolves with the exit status; rejects when it cannot start. */
export async function runManager(run: ManagerRun): Promise<number> {
  const { version, output, events, graceMs, network, env = process.env } = run;
  const folder = managerFolder(env);
  await makeStoreFolder(folder);
  const file = run.file === undefined ? undefined : resolve(run.file);
  const { choice, because } = keyChoice(run.secrets, env);
  const store = await ConnectionStore.open({
    ...{ folder, choice, secrets: fileSecrets(folder), keychain: userKeychain(env) },
  });
  const socketPath = servedSocket(env);
  const connect = (spec: ConnectionSpec) => openManaged(spec, { flags: run.flags, output, store, file, env });
  const service = new ManagerService({
    version,
    pid: process.pid,
    folder,
    socketPath,
    groupId: sharedWithGroup(env, process.getgid?.()),
    store,
    keys: { choice: run.secrets, because, credentialsFolder: env['CREDENTIALS_DIRECTORY'] },
    file: file === undefined ? undefined : { path: file, load: () => loadManagerFile(file, env) },
    signedInHost: (connection) => signedInHost(connection, { flags: run.flags, env }),
    open: tunnelOpener({ connect, network }),
    targets: targetQuestions({ connect, network }),
    sink: await logFile(logFolder(env), (error) =>
      output.warn(`the log cannot be written: ${error.message}`),
    ),
    clock: systemClock,
    random: Math.random,
    graceMs,
    tester: new ConnectionTester({
      connect,
      ...{ network, machine: thisMachine(version, env), proxySetting: run.proxySetting },
      ...{ dns: systemDns(), clock: systemClock },
    }),
    web: run.web,
  });
  await service.start();
  const keyFiles = new KeyFileWatch((path) => void service.keyFileChanged(path));
  keyFiles.follow(service.keyFiles);
  service.subscribe((event) => {
    events.manager(event);
    if (event.event === 'followed') keyFiles.follow(service.keyFiles);
  });
  const { pid } = process;
  const systemd = superviseBySystemd(service, {
    ...{ env, pid, clock: systemClock, signals: process },
    warn: (text) => output.warn(text),
  });
  const unwatch = file === undefined ? undefined : await watchFile(file, () => service.reload());
  try {
    const { exitStatus } = await untilStopped<never>({
      begin: () => {
        const { web } = service.describe();
        events.ready({ socket: socketPath, folder, file, web, connections: service.list() }, [
          `The manager runs and answers at ${socketPath}`,
          ...(web === undefined ? [] : [`Health and metrics: ${web}/healthz, /readyz, /metrics`]),
          `Next: hcm list, hcm add, hcm status${web === undefined ? '' : ', hcm dashboard'}`,
        ]);
        for (const problem of service.describe().problems) warnOf(problem, output);
        return new Promise<never>(() => undefined);
      },
      stop: () => {
        systemd.stopping();
        return service.stop(graceMs);
      },
      abort: () => service.stop(0),
    });
    return exitStatus;
  } finally {
    keyFiles.stop();
    await Promise.all([unwatch?.(), systemd.end()]);
  }
}

/** In a block of its own, since lines about connections follow at once. */
function warnOf({ message, code, next }: ReasonView, output: Output): void {
  const lines = [`${message} (${code})`, ...(next === undefined ? [] : [`  Next: ${next}`]), ''];
  output.warn(lines.join('\n'));
}

/** One that does not exist may be written later: a service may start before whoever writes it. */
export async function loadManagerFile(file: string, env: NodeJS.ProcessEnv): Promise<ManagerDeclaration> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    const cause = error.code ?? 'unknown';
    if (cause === 'ENOENT') {
      const next = 'Write it, and it is followed at once; or stop, and start with the right --file';
      throw new HcmError('HCM_FILE_UNREADABLE', `The file ${file} does not exist.`, {
        details: { file, cause, next },
      });
    }
    throw new HcmError('HCM_FILE_UNREADABLE', `The file ${file} cannot be read: ${cause}.`, {
      details: { file, cause },
    });
  });
  return parseManagerSection(text, { file, env, folder: dirname(file) });
}
