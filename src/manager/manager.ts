/**
 * The long-running manager: runs any number of connections, each by itself, and follows what is wanted: what is new is
 * started, what is gone is drained, what has changed is opened anew, and nothing else is touched.
 */
import type { Clock } from '../tunnel/clock.ts';
import type { TunnelEvent } from '../tunnel/events.ts';
import type { ConnectionState } from './connection-record.ts';
import { ManagedConnection } from './managed-connection.ts';
import { RelayLookout } from './relay-lookout.ts';
import type { ConnectionSpec, OpenTunnel } from './tunnel.ts';

/** What the manager tells: a connection's state, and the events of its tunnel. */
export interface ManagerListener {
  onState(id: string, state: ConnectionState): void;
  onEvent(id: string, event: TunnelEvent): void;
}

export interface ManagerOptions {
  clock: Clock;
  random: () => number;
  open: OpenTunnel;
  listener: ManagerListener;
  /** How long streams of a connection that is no longer wanted may go on, in ms. */
  graceMs: number;
}

/** Ids of what was done to follow what is wanted. */
export interface Changes {
  readonly started: readonly string[];
  readonly reopened: readonly string[];
  readonly stopped: readonly string[];
}

export class Manager {
  readonly #options: ManagerOptions;
  readonly #connections = new Map<string, ManagedConnection>();
  readonly #leaving = new Set<ManagedConnection>();
  readonly #lookout: RelayLookout;
  #stopped = false;

  constructor(options: ManagerOptions) {
    this.#options = options;
    this.#lookout = new RelayLookout(options);
  }

  /** In the order of what is wanted. */
  get connections(): readonly ManagedConnection[] {
    return [...this.#connections.values()];
  }

  get(id: string): ManagedConnection | undefined {
    return this.#connections.get(id);
  }

  /** From now on exactly these are wanted; ids must be unique. What is unchanged is not touched. */
  follow(wanted: readonly ConnectionSpec[]): Changes {
    const changes = { started: [] as string[], reopened: [] as string[], stopped: [] as string[] };
    if (this.#stopped) return changes;
    const before = new Map(this.#connections);
    this.#connections.clear();
    for (const spec of wanted) {
      const running = before.get(spec.id);
      before.delete(spec.id);
      if (running && running.spec.fingerprint === spec.fingerprint) {
        this.#connections.set(spec.id, running);
        continue;
      }
      (running ? changes.reopened : changes.started).push(spec.id);
      this.#connections.set(spec.id, this.#start(spec, running));
    }
    for (const [id, connection] of before) {
      changes.stopped.push(id);
      void this.#leave(connection);
    }
    return changes;
  }

  /** Resolves when all is over: streams may finish within `graceMs`. May be called again with a shorter grace. */
  async stop(graceMs: number): Promise<void> {
    this.#stopped = true;
    this.#lookout.stop();
    await Promise.all([...this.#connections.values(), ...this.#leaving].map((one) => one.stop(graceMs)));
  }

  /** A local port cannot be bound twice: its successor begins when it has gone. A listener leaves no gap. */
  #start(spec: ConnectionSpec, predecessor: ManagedConnection | undefined): ManagedConnection {
    const { clock, random, open, listener } = this.#options;
    const connection = new ManagedConnection(spec, {
      clock,
      random,
      open,
      onEvent: (event) => listener.onEvent(spec.id, event),
      onState: (state) => {
        if (spec.role === 'listener' && !this.#stopped) this.#lookout.onState(connection, state);
        listener.onState(spec.id, state);
      },
    });
    const gone = predecessor && this.#leave(predecessor);
    if (gone && spec.role === 'forward') void gone.then(() => connection.start());
    else connection.start();
    return connection;
  }

  async #leave(connection: ManagedConnection): Promise<void> {
    this.#leaving.add(connection);
    await connection.stop(this.#options.graceMs);
    this.#leaving.delete(connection);
  }
}
