/**
 * The long-running manager: runs any number of connections, each by itself, and follows what is wanted: what is new is
 * started, what is gone is drained, what has changed is opened anew, and nothing else is touched.
 */
import type { Clock } from '../tunnel/clock.ts';
import type { TunnelEvent } from '../tunnel/events.ts';
import type { ConnectionState } from './connection-record.ts';
import { ManagedConnection } from './managed-connection.ts';
import { RelayLookout } from './relay-lookout.ts';
import type { ConnectionSpec, OpenTunnel, TargetQuestions } from './tunnel.ts';

/** What the manager tells: a connection's state, and the events of its tunnel. */
export interface ManagerListener {
  onState(id: string, state: ConnectionState): void;
  onEvent(id: string, event: TunnelEvent): void;
}

export interface ManagerOptions {
  clock: Clock;
  random: () => number;
  open: OpenTunnel;
  targets?: TargetQuestions | undefined;
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
  /** No longer wanted, with when they are over. */
  readonly #leaving = new Map<ManagedConnection, Promise<void>>();
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
      this.#start(spec, running);
    }
    for (const [id, connection] of before) {
      changes.stopped.push(id);
      this.#leave(connection);
    }
    return changes;
  }

  /** Resolves when all is over: streams may finish within `graceMs`. May be called again with a shorter grace. */
  async stop(graceMs: number): Promise<void> {
    this.#stopped = true;
    this.#lookout.stop();
    const all = [...this.#connections.values(), ...this.#leaving.keys()];
    await Promise.all(all.map((one) => one.stop(graceMs)));
  }

  /** A local port cannot be bound twice: it begins when those before it have gone. A listener leaves no gap. */
  #start(spec: ConnectionSpec, predecessor: ManagedConnection | undefined): void {
    const { clock, random, open, targets, listener } = this.#options;
    const connection: ManagedConnection = new ManagedConnection(spec, {
      ...{ clock, random, open, targets },
      onEvent: (event) => listener.onEvent(spec.id, event),
      // What is said of an id is said of the one that runs now, not of its predecessor that is only draining.
      onState: (state) => {
        if (spec.role === 'listener' && !this.#stopped) this.#lookout.onState(connection, state);
        const current = this.#connections.get(spec.id) ?? connection;
        if (current === connection) listener.onState(spec.id, state);
      },
    });
    this.#connections.set(spec.id, connection);
    if (predecessor) {
      this.#leave(predecessor);
      listener.onState(spec.id, connection.record.state);
    }
    const before = [...this.#leaving].filter(([{ spec: old }]) => old.id === spec.id);
    connection.start(
      spec.role === 'forward' ? Promise.all(before.map(([, gone]) => gone)) : Promise.resolve(),
    );
  }

  #leave(connection: ManagedConnection): void {
    const gone = connection.stop(this.#options.graceMs).then(() => void this.#leaving.delete(connection));
    this.#leaving.set(connection, gone);
  }
}
