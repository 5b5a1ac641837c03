/**
 * The emulator as this user's local Azure: the library in src/emulator, with a state folder, its lock, and the user's
 * CA. Owns all of them from start to stop.
 */
import { loadOrCreateCa } from '../../emulator/ca-file.ts';
import { createEmulator, type ConnectionSpec, type Emulator } from '../../emulator/create-emulator.ts';
import type { EmulatorEventHandler } from '../../emulator/events.ts';
import { firstNamespace } from '../../emulator/state.ts';
import { StateFile } from '../../emulator/state-file.ts';
import { StateLock } from '../../emulator/state-lock.ts';
import { parseTarget, formatTarget } from '../../protocol/target.ts';
import { HcmError } from '../../protocol/errors.ts';
import { registerLocalCloud } from '../auth/local-cloud.ts';
import { statePaths } from '../config/paths.ts';
import type { Output } from './output.ts';

export interface LocalAzureOptions {
  port: number;
  host?: string | undefined;
  connections: readonly ConnectionSpec[];
  /** Where the state is kept; undefined: nowhere. */
  stateDirectory: string | undefined;
  /** Puts it on this user's list of clouds, as `local`. Default false. */
  register?: boolean | undefined;
  output: Output;
  onEvent?: EmulatorEventHandler | undefined;
}

export class LocalAzure {
  readonly emulator: Emulator;
  /** The certificate of the user's CA, for clients that are not ours. */
  readonly caFile: string;
  readonly #lock: StateLock | undefined;
  readonly #stateFile: StateFile | undefined;

  private constructor(emulator: Emulator, caFile: string, kept?: { lock: StateLock; file: StateFile }) {
    this.emulator = emulator;
    this.caFile = caFile;
    this.#lock = kept?.lock;
    this.#stateFile = kept?.file;
  }

  /**
   * Resolves when clients can connect. @throws HcmError HCM_STATE_LOCKED, HCM_STATE_CORRUPT, HCM_STATE_UNWRITABLE,
   * HCM_PORT_IN_USE, HCM_BIND_FAILED; nothing is left running or locked then.
   */
  static async start(options: LocalAzureOptions): Promise<LocalAzure> {
    const { stateDirectory } = options;
    if (stateDirectory === undefined) {
      const { emulator, caFile } = await startEmulator(options, undefined);
      if (options.register) await registered(emulator);
      return new LocalAzure(emulator, caFile);
    }
    const onLost = ({ message }: HcmError) =>
      options.output.warn(`${message} Its changes are not kept any more.`);
    const lock = await StateLock.acquire(stateDirectory, { onLost });
    try {
      const file = new StateFile(stateDirectory);
      const { emulator, caFile } = await startEmulator(options, file, lock);
      await Promise.all([file.save(emulator.state), lock.setEndpoint(emulator.endpoint)]);
      if (options.register) await registered(emulator);
      return new LocalAzure(emulator, caFile, { lock, file });
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  /** The fields of the `ready` line, as docs/emulator.md promises them. */
  describe(): Record<string, unknown> {
    const { endpoint, port, state, connections, connectionString } = this.emulator;
    const base = `https://localhost:${port}/`;
    return {
      endpoint,
      arm: base,
      authority: base,
      tenantId: state.tenantId,
      subscriptionId: state.subscriptionId,
      clientId: state.clientId,
      clientSecret: state.clientSecret,
      caFile: this.caFile,
      resourceGroup: state.resourceGroup,
      namespace: firstNamespace(state)?.name,
      connectionString,
      connections: connections.map(({ name, listenerConnectionString, senderConnectionString }) => ({
        name,
        listenerConnectionString,
        senderConnectionString,
      })),
    };
  }

  /** Tells clients, stops, and leaves the state on disk. */
  async stop(): Promise<void> {
    await this.emulator.stop();
    await this.#leave();
  }

  /** Stops at once. */
  async abort(): Promise<void> {
    await this.emulator.abort();
    await this.#leave();
  }

  async #leave(): Promise<void> {
    try {
      if (this.#lock?.isHeld) await this.#stateFile?.save(this.emulator.state);
    } finally {
      await this.#lock?.release();
    }
  }
}

async function startEmulator(
  options: LocalAzureOptions,
  file: StateFile | undefined,
  lock?: StateLock,
): Promise<{ emulator: Emulator; caFile: string }> {
  const { output } = options;
  const state = await file?.load();
  const { ca, caFile, replaced } = await loadOrCreateCa(statePaths(process.env).caDirectory);
  if (replaced) {
    output.warn(
      `the local CA could not be used any more (${replaced.reason}) and was replaced; the old one is ${replaced.keptAs}`,
    );
  }
  const { port, host, connections, onEvent } = options;
  const emulator = await createEmulator({ port, host, connections, state, ca, onEvent });
  if (emulator.warning !== undefined) output.warn(emulator.warning);
  const saveFailed = (error: Error) => output.warn(`the state was not written: ${error.message}`);
  emulator.onStateChange((changed) => {
    if (lock?.isHeld) void file?.save(changed).catch(saveFailed);
  });
  return { emulator, caFile };
}

/** An emulator that cannot be registered is stopped. */
async function registered(emulator: Emulator): Promise<void> {
  const { port, state } = emulator;
  const { tenantId, subscriptionId, clientId, clientSecret } = state;
  try {
    await registerLocalCloud(statePaths(process.env).directory, {
      ...{ port, tenantId, subscriptionId, clientId, clientSecret },
    });
  } catch (error) {
    await emulator.abort();
    throw error;
  }
}

/** Reads `NAME` or `NAME=HOST:PORT`. @throws HcmError HCM_CONNECTION_INVALID (by the emulator), HCM_TARGET_INVALID. */
export function parseConnectionSpec(text: string): ConnectionSpec {
  const equals = text.indexOf('=');
  if (equals < 0) return { name: text };
  if (equals === 0)
    throw new HcmError('HCM_CONNECTION_INVALID', `"${text}" names no hybrid connection before "=".`);
  return { name: text.slice(0, equals), target: formatTarget(parseTarget(text.slice(equals + 1))) };
}
