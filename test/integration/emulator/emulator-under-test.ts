/** An emulator for one test, on a clock that the test moves, in the shape that the contract's clients take. */
import {
  createEmulator,
  type Emulator,
  type EmulatorEvent,
  type EmulatorOptions,
} from '../../../src/emulator/create-emulator.ts';
import { keyIn, type RelayUnderTest } from '../../contract/relay-under-test.ts';
import { token } from '../../contract/tokens.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';

export const HOUR_MS = 3_600_000;

export interface EmulatorUnderTest {
  readonly emulator: Emulator;
  readonly relay: RelayUnderTest;
  readonly clock: FakeClock;
  readonly events: EmulatorEvent[];
  /** A token good for an hour of the emulator's clock, or for `forMs`. */
  readonly tokenFor: (action: 'listen' | 'connect', forMs?: number) => string;
}

/** To be called inside `describe`, before what closes clients: stops the emulators of each test after it. */
export function useEmulators(): (options?: EmulatorOptions) => Promise<EmulatorUnderTest> {
  const started: Emulator[] = [];
  afterEach(async () => {
    await Promise.all(started.splice(0).map((emulator) => emulator.stop()));
  });
  return async (options = {}) => {
    const under = await startEmulator(options);
    started.push(under.emulator);
    return under;
  };
}

async function startEmulator(options: EmulatorOptions): Promise<EmulatorUnderTest> {
  // Tokens expire at full seconds.
  const clock = new FakeClock(Math.floor(Date.now() / 1_000) * 1_000);
  const events: EmulatorEvent[] = [];
  const emulator = await createEmulator({
    ...{ clock, connections: [{ name: 'one' }], onEvent: (event: EmulatorEvent) => void events.push(event) },
    ...options,
  });
  const [one] = emulator.connections;
  const relay: RelayUnderTest = {
    ...{ host: 'localhost', port: emulator.port, ca: emulator.caPem === '' ? undefined : emulator.caPem },
    ...{ path: 'one', longerPath: 'one/longer' },
    listenKey: keyIn(one?.listenerConnectionString ?? ''),
    sendKey: keyIn(one?.senderConnectionString ?? ''),
    rootKey: keyIn(emulator.connectionString),
  };
  const tokenFor = (action: 'listen' | 'connect', forMs = HOUR_MS) => {
    const key = action === 'listen' ? relay.listenKey : relay.sendKey;
    return token('http://localhost/one/', key, { expiresAtMs: clock.nowMs() + forMs });
  };
  return { emulator, relay, clock, events, tokenFor };
}
