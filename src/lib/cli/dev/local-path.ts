/**
 * The whole path in one process: emulator, listener, local port, and a sample target where none is given. Owns all of
 * them; stops them in the order of the path, so that open streams can finish.
 */
import { resolveConnection } from '../../../protocol/connection-string.ts';
import { HcmError } from '../../../protocol/errors.ts';
import { formatTarget, type StreamBind, type Target } from '../../../protocol/target.ts';
import { systemClock } from '../../../tunnel/clock.ts';
import type { TunnelEvent, TunnelEventHandler } from '../../../tunnel/events.ts';
import { HybridConnectionListener } from '../../../tunnel/listener.ts';
import { startLocalPort, type LocalPort } from '../../../tunnel/local-port.ts';
import { orAborted } from '../../../tunnel/network-errors.ts';
import type { Connection } from '../../../tunnel/options.ts';
import { Sender } from '../../../tunnel/sender.ts';
import { sasKeyTokens } from '../../../tunnel/token-provider.ts';
import { LocalAzure } from '../local-azure.ts';
import type { Output } from '../output.ts';
import { probePath, StreamWitness } from './probe.ts';
import { SampleTarget } from './sample-target.ts';
import { StreamLog } from './stream-log.ts';

export const CONNECTION_NAME = 'demo';

export interface LocalPathOptions {
  /** Undefined: a sample target is started. */
  target: Target | undefined;
  bind: StreamBind;
  output: Output;
  onEvent: (event: TunnelEvent, half: 'listener' | 'sender') => void;
}

export class LocalPath {
  readonly log = new StreamLog();
  readonly #options: LocalPathOptions;
  readonly #witness = new StreamWitness();
  readonly #stopping = new AbortController();
  #starting: Promise<void> = Promise.resolve();
  #sample: SampleTarget | undefined;
  #azure: LocalAzure | undefined;
  #listener: HybridConnectionListener | undefined;
  #port: LocalPort | undefined;

  constructor(options: LocalPathOptions) {
    this.#options = options;
  }

  /**
   * Resolves when the path works, which a probe has proved. What was started must be stopped, also after an error.
   * Rejects with HCM_ABORTED when it is stopped meanwhile.
   */
  start(): Promise<void> {
    this.#starting = this.#start(this.#stopping.signal);
    return this.#starting;
  }

  async #start(stopping: AbortSignal): Promise<void> {
    const { target: given, bind, output, onEvent } = this.#options;
    if (given === undefined)
      this.#sample = await SampleTarget.start(() => ({ route: this.route, log: this.log }));
    const target = given ?? this.#started(this.#sample).target;
    const spec = { name: CONNECTION_NAME, target: formatTarget(target) };
    this.#azure = await LocalAzure.start({ port: 0, connections: [spec], stateDirectory: undefined, output });
    stopping.throwIfAborted();
    const { emulator } = this.#azure;
    const strings = this.#started(emulator.connections[0]);
    const loopbackCa = emulator.caPem;
    const watch: TunnelEventHandler = (event) => {
      this.log.note(event);
      this.#witness.note(event);
      onEvent(event, 'sender');
    };
    const onListenerEvent: TunnelEventHandler = (event) => onEvent(event, 'listener');
    this.#listener = new HybridConnectionListener(connectionOf(strings.listenerConnectionString), {
      loopbackCa,
      target,
      onEvent: onListenerEvent,
    });
    const sender = new Sender(connectionOf(strings.senderConnectionString), { loopbackCa, onEvent: watch });
    this.#port = await startLocalPort(bind, sender);
    stopping.throwIfAborted();
    this.#listener.start();
    await this.#listener.online();
    await orAborted(probePath(this.#port.bind, this.#witness, this.#sample !== undefined), stopping);
  }

  /** True for what happens to the stream that proved the path. */
  isProbe(event: TunnelEvent): boolean {
    return this.#witness.isAbout(event);
  }

  get route(): { bind: string; relay: string; connection: string; target: string } {
    const target = this.#options.target ?? this.#started(this.#sample).target;
    return {
      bind: this.#started(this.#port).bind,
      relay: `localhost:${this.azure.emulator.port}`,
      connection: CONNECTION_NAME,
      target: formatTarget(target),
    };
  }

  get azure(): LocalAzure {
    return this.#started(this.#azure);
  }

  get openStreams(): number {
    return this.#listener?.openStreams ?? 0;
  }

  /** Rejects when the listener ends by an error; never resolves. */
  async failed(): Promise<never> {
    const error = await this.#started(this.#listener).ended;
    if (error !== undefined) throw error;
    return new Promise(() => undefined);
  }

  /** Also while it starts. May be called again with a shorter grace. */
  async stop(graceMs: number): Promise<void> {
    this.#stopping.abort(new HcmError('HCM_ABORTED', 'The local path was stopped'));
    await this.#stopParts(graceMs);
    await this.#starting.catch(() => undefined);
    // What came into being meanwhile.
    await this.#stopParts(0);
  }

  async #stopParts(graceMs: number): Promise<void> {
    await this.#port?.stop({ graceMs });
    await this.#listener?.stop({ graceMs });
    await this.#sample?.stop();
    await (graceMs > 0 ? this.#azure?.stop() : this.#azure?.abort());
  }

  #started<T>(part: T | undefined): T {
    if (part === undefined) throw new Error('the local path was not started');
    return part;
  }
}

function connectionOf(connectionString: string): Connection {
  const { endpoint, path, credential } = resolveConnection({ connectionString });
  return {
    endpoint,
    path,
    ...(credential.kind === 'key' ? { tokens: sasKeyTokens(credential, systemClock) } : {}),
  };
}
