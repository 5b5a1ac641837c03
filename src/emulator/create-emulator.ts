/**
 * The local Azure Relay as a library: one call starts it, `stop` ends it without a trace. It touches neither process
 * nor console nor disk; what should last is handed in and out (state, authority).
 */
import type { Server as HttpServer } from 'node:http';
import { formatConnectionString } from '../protocol/connection-string.ts';
import { HcmError } from '../protocol/errors.ts';
import { isLoopbackName } from '../protocol/relay-hosts.ts';
import { createCa, issueServerCertificate } from './ca.ts';
import type { CertifiedKey } from './certified-key.ts';
import { systemClock, TimerSet, type EmulatorClock } from './clock.ts';
import { putPrincipal } from './entra-state.ts';
import type { EmulatorEventBody } from './events.ts';
import { Faults } from './faults.ts';
import { DEFAULT_BEHAVIOUR, type EmulatorOptions } from './options.ts';
import { Relay } from './relay/relay.ts';
import { createAzureDoor } from './server/azure-door.ts';
import { FrontDoor } from './server/front-door.ts';
import { createHttpDoor, type HttpHandler } from './server/http-door.ts';
import { DEFAULT_HOST } from './server/sockets.ts';
import {
  createState,
  findByName,
  firstNamespace,
  homeNamespace,
  putConnection,
  type ConnectionSpec,
  type ConnectionState,
  type EmulatorState,
  type NamespaceState,
  type RuleState,
} from './state.ts';
import { putSubscription } from './state-subscriptions.ts';

export type { EmulatorOptions } from './options.ts';
export type { EmulatorEvent } from './events.ts';
export type { Faults } from './faults.ts';
export type { ConnectionSpec, EmulatorState } from './state.ts';

/** A connection and the strings that clients of it need. */
export interface EmulatorConnection {
  readonly name: string;
  readonly listenerConnectionString: string;
  readonly senderConnectionString: string;
}

export interface Emulator {
  /** `sb://localhost:N/`, as in connection strings. */
  readonly endpoint: string;
  readonly port: number;
  /** The authority that clients must trust; '' when `insecure`. */
  readonly caPem: string;
  /** The live document. */
  readonly state: EmulatorState;
  readonly connections: readonly EmulatorConnection[];
  /** Of the namespace's RootManageSharedAccessKey: may do everything, on every connection. */
  readonly connectionString: string;
  /** What is worth telling the user about how it was started. */
  readonly warning: string | undefined;
  readonly faults: Faults;
  /** Makes a connection, or brings one that is there up to the spec. @throws HcmError HCM_CONNECTION_INVALID, HCM_TARGET_INVALID. */
  addConnection(spec: ConnectionSpec | string): EmulatorConnection;
  /** Deletes a connection: its listeners and streams end with 1001. False when there is none. */
  removeConnection(name: string): boolean;
  /** Listeners that are registered now. */
  listenerCount(name: string): number;
  /** Streams that are open now, of all connections. */
  readonly streamCount: number;
  /** Requests that asked ARM to change something and were not refused: `GET` and the like do not count. */
  readonly armWrites: number;
  /** Calls `handler` after each change of the state; returns how to stop that. */
  onStateChange(handler: (state: EmulatorState) => void): () => void;
  /** Tells listeners (1000), then cuts everything. Resolves when no socket and no timer is left. */
  stop(): Promise<void>;
  /** Like the death of the process: every socket is reset, nobody is told. */
  abort(): Promise<void>;
}

/**
 * Starts an emulator; resolves when it can be connected to.
 * @throws HcmError HCM_PORT_IN_USE, HCM_BIND_FAILED, HCM_USAGE (insecure on a network), HCM_CONNECTION_INVALID,
 * HCM_TARGET_INVALID.
 */
export async function createEmulator(options: EmulatorOptions = {}): Promise<Emulator> {
  const { host = DEFAULT_HOST, insecure = false } = options;
  if (insecure && !isLoopbackName(host)) {
    throw new HcmError('HCM_USAGE', `Without TLS the emulator listens on loopback only, not on ${host}.`);
  }
  const ca = insecure ? undefined : (options.ca ?? (await createCa()));
  const certificate = ca && (await issueServerCertificate(ca));
  const emulator = new LocalEmulator(options, ca?.certPem ?? '', certificate);
  await emulator.listen();
  return emulator;
}

class LocalEmulator implements Emulator {
  readonly state: EmulatorState;
  readonly caPem: string;
  readonly faults: Faults;
  readonly warning: string | undefined;
  port = 0;
  armWrites = 0;

  readonly #options: EmulatorOptions;
  readonly #clock: EmulatorClock;
  readonly #timers: TimerSet;
  readonly #relay: Relay;
  readonly #http: HttpServer;
  readonly #door: FrontDoor;
  readonly #behaviour: typeof DEFAULT_BEHAVIOUR;
  readonly #stateHandlers = new Set<(state: EmulatorState) => void>();
  #stopping: Promise<void> | undefined;

  /** Without `certificate` it speaks plain TCP. */
  constructor(options: EmulatorOptions, caPem: string, certificate: CertifiedKey | undefined) {
    const { host = DEFAULT_HOST } = options;
    this.warning = isLoopbackName(host)
      ? undefined
      : `The emulator listens on ${host}: whoever reaches this machine and has a key can use it. Its certificate names loopback only.`;
    this.caPem = caPem;
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#timers = new TimerSet(this.#clock);
    this.#behaviour = { ...DEFAULT_BEHAVIOUR, ...options.behaviour };
    this.state = options.state ?? createState(this.#clock.nowMs());
    this.#putWanted(options, this.#clock.nowMs());

    this.#relay = this.#createRelay();
    this.faults = this.#relay.context.faults;
    this.#http = createHttpDoor({ relay: this.#relay, handlers: [this.#createAzure()] });
    this.#door = new FrontDoor({
      certificate,
      minTlsVersion: options.minTlsVersion,
      maxTlsVersion: options.maxTlsVersion,
      handshakeTimeoutMs: this.#behaviour.handshakeTimeoutMs,
      http: this.#http,
      onWebSocket: (handshake) => this.#relay.upgrade(handshake),
      ignores: () => this.faults.blackHoled,
    });
  }

  async listen(): Promise<void> {
    const { host = DEFAULT_HOST, port = 0 } = this.#options;
    this.port = await this.#door.sockets.listen(host === 'localhost' ? DEFAULT_HOST : host, port);
  }

  get endpoint(): string {
    return `sb://localhost:${this.port}/`;
  }

  get connections(): readonly EmulatorConnection[] {
    return this.#namespace?.connections.map((connection) => this.#describe(connection)) ?? [];
  }

  get connectionString(): string {
    const rule = this.#namespace?.rules.find(({ rights }) => rights.includes('Manage'));
    return this.#stringOf(rule, undefined);
  }

  addConnection(spec: ConnectionSpec | string): EmulatorConnection {
    const full = typeof spec === 'string' ? { name: spec } : spec;
    const nowMs = this.#clock.nowMs();
    const connection = putConnection(homeNamespace(this.state, nowMs), full, nowMs);
    this.#changed();
    return this.#describe(connection);
  }

  removeConnection(name: string): boolean {
    const { connections = [] } = this.#namespace ?? {};
    const connection = findByName(connections, name);
    if (connection === undefined) return false;
    connections.splice(connections.indexOf(connection), 1);
    this.#relay.removeEntity(connection);
    this.#changed();
    return true;
  }

  listenerCount(name: string): number {
    const entities = this.#relay.context.registry.find(name);
    return entities.reduce((total, { listeners }) => total + listeners.length, 0);
  }

  get streamCount(): number {
    return this.#relay.context.streams.size;
  }

  onStateChange(handler: (state: EmulatorState) => void): () => void {
    this.#stateHandlers.add(handler);
    return () => this.#stateHandlers.delete(handler);
  }

  stop(): Promise<void> {
    return (this.#stopping ??= this.#stop());
  }

  abort(): Promise<void> {
    this.#door.sockets.reset();
    return (this.#stopping ??= this.#end());
  }

  /** Two halves: everybody is told and gets a moment to answer; then all is cut. */
  async #stop(): Promise<void> {
    this.#door.sockets.stopAccepting();
    this.#relay.closeChannels('The emulator stops');
    const deadlineMs = performance.now() + this.#behaviour.stopGraceMs;
    while (this.#relay.hasOpenChannels && performance.now() < deadlineMs) {
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await this.#end();
  }

  async #end(): Promise<void> {
    this.#timers.stop();
    await this.#door.sockets.close();
    // The sockets are gone; what stood on them notices in the next turns of the event loop.
    while (!this.#relay.isEmpty) await new Promise((resolve) => setImmediate(resolve));
  }

  /** Brings the state to what was asked for at the start. There is a namespace in any case. */
  #putWanted(options: EmulatorOptions, nowMs: number): void {
    const { state } = this;
    const [first] = state.subscriptions;
    for (const spec of options.subscriptions ?? []) putSubscription(state, spec, nowMs);
    if (options.registeredProviders && first) first.registeredProviders = [...options.registeredProviders];
    for (const spec of options.principals ?? []) putPrincipal(state, spec, nowMs);
    const namespace = homeNamespace(state, nowMs);
    for (const spec of options.connections ?? []) putConnection(namespace, spec, nowMs);
  }

  #createRelay(): Relay {
    const { faults, random = Math.random } = this.#options;
    return new Relay({
      state: this.state,
      behaviour: this.#behaviour,
      timers: this.#timers,
      random,
      nowMs: () => this.#clock.nowMs(),
      emit: (event) => this.#emit(event),
      makeFaults: (targets) =>
        new Faults({ ...targets, resetConnections: () => this.#door.sockets.reset() }, faults),
    });
  }

  #createAzure(): HttpHandler {
    const { faults, registry } = this.#relay.context;
    return createAzureDoor({
      ...{ state: this.state, behaviour: this.#behaviour, faults },
      port: () => this.port,
      relay: {
        listenerCount: (connection) => registry.get(connection)?.listeners.length ?? 0,
        end: (connection) => this.#relay.removeEntity(connection),
      },
      nowMs: () => this.#clock.nowMs(),
      changed: () => this.#changed(),
      emit: (event) => this.#emit(event),
    });
  }

  #emit(event: EmulatorEventBody): void {
    if (event.event === 'arm' && event.write && event.status < 400) this.armWrites += 1;
    this.#options.onEvent?.({ time: new Date(this.#clock.nowMs()).toISOString(), ...event });
  }

  #changed(): void {
    for (const handler of [...this.#stateHandlers]) handler(this.state);
  }

  /** Whose connections `connections` are: the first. Undefined when ARM was told to delete them all. */
  get #namespace(): NamespaceState | undefined {
    return firstNamespace(this.state);
  }

  #describe(connection: ConnectionState): EmulatorConnection {
    const ruleFor = (name: string, right: 'Listen' | 'Send') =>
      findByName(connection.rules, name) ?? connection.rules.find(({ rights }) => rights.includes(right));
    return {
      name: connection.name,
      listenerConnectionString: this.#stringOf(ruleFor('defaultListener', 'Listen'), connection.name),
      senderConnectionString: this.#stringOf(ruleFor('defaultSender', 'Send'), connection.name),
    };
  }

  #stringOf(rule: RuleState | undefined, entityPath: string | undefined): string {
    const endpoint = { host: 'localhost', port: this.port };
    const credential =
      rule === undefined
        ? ({ kind: 'none' } as const)
        : ({ kind: 'key', keyName: rule.name, key: rule.primaryKey } as const);
    return formatConnectionString({ endpoint, credential, entityPath });
  }
}
