/**
 * The relay that the contract is checked against: an endpoint, a hybrid connection, keys. Nothing in this ring knows
 * that it is the emulator, so that one day it can be pointed at Azure.
 */
import { createEmulator } from '../../src/emulator/create-emulator.ts';

export interface Key {
  readonly name: string;
  readonly key: string;
}

export interface RelayUnderTest {
  readonly host: string;
  readonly port: number;
  /** What to trust; undefined: the system's authorities. */
  readonly ca: string | undefined;
  /** A hybrid connection that needs client authorization. */
  readonly path: string;
  /** Another one, whose name goes on where the first one's ends; nobody listens on it. */
  readonly longerPath: string;
  readonly listenKey: Key;
  readonly sendKey: Key;
  /** Of the namespace: may do everything. */
  readonly rootKey: Key;
}

/** To be called inside `describe`: one relay for all its tests. */
export function useRelay(): () => RelayUnderTest {
  let relay: RelayUnderTest | undefined;
  let stop: (() => Promise<void>) | undefined;
  before(async () => {
    const connections = [{ name: 'Hyco/One' }, { name: 'Hyco/One/longer' }];
    const emulator = await createEmulator({ connections });
    const [one] = emulator.connections;
    stop = () => emulator.stop();
    relay = {
      ...{ host: 'localhost', port: emulator.port, ca: emulator.caPem },
      ...{ path: 'Hyco/One', longerPath: 'Hyco/One/longer' },
      listenKey: keyIn(one?.listenerConnectionString ?? ''),
      sendKey: keyIn(one?.senderConnectionString ?? ''),
      rootKey: keyIn(emulator.connectionString),
    };
  });
  after(() => stop?.());
  return () => {
    if (relay === undefined) throw new Error('the relay is not started yet');
    return relay;
  };
}

export function keyIn(connectionString: string): Key {
  const part = (name: string) => new RegExp(`(?:^|;)${name}=([^;]*)`).exec(connectionString)?.[1] ?? '';
  return { name: part('SharedAccessKeyName'), key: part('SharedAccessKey') };
}
