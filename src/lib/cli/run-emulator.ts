/** Runs the emulator in the foreground until a signal. */
import type { EmulatorEvent } from '../../emulator/events.ts';
import type { EventPresenter } from './event-presenter.ts';
import { firstNamespace } from '../../emulator/state.ts';
import { LocalAzure, type LocalAzureOptions } from './local-azure.ts';
import { untilStopped } from './until-stopped.ts';

export type EmulatorRun = Omit<LocalAzureOptions, 'onEvent'> & { events: EventPresenter };

/** Resolves with the exit status; rejects when it cannot start. */
export async function runEmulator({ events, ...options }: EmulatorRun): Promise<number> {
  let starting: Promise<LocalAzure> | undefined;
  let stopping = false;
  const onEvent = (event: EmulatorEvent) => {
    const named = event.event === 'arm' ? event : { ...event, connection: eventName(event.connection) };
    events.emulator(named, describe(named));
  };
  // A signal may come before it has started; why it could not does not matter then.
  const started = () => starting?.catch(() => undefined);
  const { exitStatus } = await untilStopped({
    begin: async () => {
      const azure = await (starting = LocalAzure.start({ ...options, onEvent }));
      if (!stopping) events.readyWithSecrets(azure.describe(), readyLines(azure, options.register));
      return new Promise<void>(() => undefined);
    },
    stop: async () => (await started())?.stop(),
    abort: async () => (await started())?.abort(),
    onStopping: () => (stopping = true),
  });
  return exitStatus;
}

/** As tunnels name it whose connection strings say `localhost`, which those that are printed do. */
function eventName(path: string): string {
  return `localhost/${path}`;
}

function readyLines({ emulator, caFile }: LocalAzure, registered = false): string[] {
  const [first] = emulator.connections;
  return [
    `Local Azure is ready at https://localhost:${emulator.port}/`,
    '',
    `  namespace  ${firstNamespace(emulator.state)?.name}  ${emulator.connectionString}`,
    ...emulator.connections.flatMap(({ name, listenerConnectionString, senderConnectionString }) => [
      `  ${name}`,
      `    listener  ${listenerConnectionString}`,
      `    sender    ${senderConnectionString}`,
    ]),
    '',
    ...(registered ? ['hcm knows it as the cloud "local": hcm namespace list --cloud local'] : []),
    `Other clients trust it with NODE_EXTRA_CA_CERTS=${caFile}`,
    first === undefined
      ? 'Next: hcm emulator start --connection NAME=HOST:PORT'
      : 'Next: set HCM_CONNECTION_STRING to one of these and run hcm listen or hcm forward',
  ];
}

function describe(event: EmulatorEvent): string {
  switch (event.event) {
    case 'listener-online':
      return `listener of ${event.connection} online, ${event.listeners} now`;
    case 'listener-offline':
      return `listener of ${event.connection} offline, ${event.listeners} left: ${event.reason || 'connection lost'}`;
    case 'token-renewed':
      return `listener of ${event.connection} renewed its token`;
    case 'message-ignored':
      return `message on ${event.connection} ignored: ${event.reason}`;
    case 'connect':
      return `${event.id.slice(0, 8)} sender for ${event.connection} from ${event.remote}`;
    case 'accept':
      return `${event.id.slice(0, 8)} accepted by the listener`;
    case 'reject':
      return `${event.id.slice(0, 8)} rejected by the listener: ${event.status} ${event.reason}`;
    case 'abandoned':
      return `${event.id.slice(0, 8)} sender left before anybody accepted`;
    case 'closed':
      return `${event.id.slice(0, 8)} closed${event.clean ? '' : ', broken off'}`;
    case 'request':
      return `${event.id.slice(0, 8)} ${event.method} ${event.path} from ${event.remote}`;
    case 'response':
      return `${event.id.slice(0, 8)} answered by the listener: ${event.status}`;
    case 'request-lost':
      return `${event.id.slice(0, 8)} broken off: ${event.reason}`;
    case 'arm':
      return `${event.method} ${event.path} ${event.status}${event.code === undefined ? '' : ` ${event.code}`}`;
    case 'refused':
      return `refused ${event.action} on ${event.connection}: ${event.status} ${event.reason}`;
  }
}
