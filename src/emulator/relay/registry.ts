/**
 * Which hybrid connections there are, and who listens on them now. The state document says what exists; this adds
 * what lives only while the emulator runs. Knows names and listeners, no sockets.
 */
import { listenerChosen, type ListenerChoice } from '../../protocol/headers.ts';
import { isRelayNamespaceHost, normalizeHost } from '../../protocol/relay-hosts.ts';
import { matchEntity } from '../../protocol/request-target.ts';
import type { ConnectionState, EmulatorState, NamespaceState } from '../state.ts';

/** What the registry must know of a listener. */
export interface RegisteredListener {
  /** The id the listener chose (`sb-hc-id`), without gateway. */
  readonly id: string;
}

/** A hybrid connection with its listeners. */
export class Entity<Listener extends RegisteredListener> {
  readonly namespace: NamespaceState;
  readonly connection: ConnectionState;
  readonly listeners: Listener[] = [];

  constructor(namespace: NamespaceState, connection: ConnectionState) {
    this.namespace = namespace;
    this.connection = connection;
  }

  get name(): string {
    return this.connection.name;
  }

  leave(listener: Listener): void {
    const at = this.listeners.indexOf(listener);
    if (at >= 0) this.listeners.splice(at, 1);
  }
}

/** What a request's host and path mean. */
export interface Resolution<Listener extends RegisteredListener> {
  /** The owner of the entity; when there is none, every namespace that the host may stand for. */
  readonly namespaces: readonly NamespaceState[];
  readonly entity: Entity<Listener> | undefined;
  /** What follows the entity's name in the path: '' or with a slash in front. */
  readonly suffix: string;
}

/** Names of the machine itself: they stand for every namespace. */
const COMMON_HOSTS = ['localhost', '127.0.0.1', '::1'];

export class Registry<Listener extends RegisteredListener> {
  readonly #state: EmulatorState;
  readonly #random: () => number;
  readonly #entities = new Map<ConnectionState, Entity<Listener>>();

  constructor(state: EmulatorState, random: () => number) {
    this.#state = state;
    this.#random = random;
  }

  /**
   * Finds the entity of a request. A namespace's own host sees its entities only; any other host sees all, as long
   * as one namespace has the best match.
   */
  resolve(host: string, path: string): Resolution<Listener> {
    const namespaces = this.#namespacesOf(host);
    let best: { namespace: NamespaceState; name: string; suffix: string } | undefined;
    let isTie = false;
    for (const namespace of namespaces) {
      const match = matchEntity(
        path,
        namespace.connections.map(({ name }) => name),
      );
      if (match === undefined || match.name.length < (best?.name.length ?? 0)) continue;
      isTie = match.name.length === best?.name.length;
      best = { namespace, name: match.name, suffix: match.suffix };
    }
    if (best === undefined || isTie) return { namespaces, entity: undefined, suffix: '' };
    const entity = this.#entityOf(best.namespace, best.name);
    return { namespaces: [best.namespace], entity, suffix: best.suffix };
  }

  /** Every host that a token for this namespace may name. */
  aliasesOf(namespace: NamespaceState, askedHost: string): string[] {
    return [...COMMON_HOSTS, `${namespace.name}.servicebus.localhost`, askedHost];
  }

  /** The entities of this name that somebody has used since the start. */
  find(name: string): Entity<Listener>[] {
    return [...this.#entities.values()].filter((entity) => entity.name.toLowerCase() === name.toLowerCase());
  }

  /** What lives of a connection, if somebody has used it since the start. */
  get(connection: ConnectionState): Entity<Listener> | undefined {
    return this.#entities.get(connection);
  }

  /** Forgets an entity; its listeners are the caller's to close. */
  forget(connection: ConnectionState): Entity<Listener> | undefined {
    const entity = this.#entities.get(connection);
    this.#entities.delete(connection);
    return entity;
  }

  /** One of the entity's listeners, by chance. Undefined when none is there, or the sender wants none of them. */
  choose(entity: Entity<Listener>, choice?: ListenerChoice): Listener | undefined {
    const { listeners } = entity;
    const candidates = choice ? listeners.filter(({ id }) => listenerChosen(choice, id)) : listeners;
    return candidates[Math.floor(this.#random() * candidates.length)];
  }

  #namespacesOf(host: string): readonly NamespaceState[] {
    if (!isRelayNamespaceHost(host)) return this.#state.namespaces;
    const wanted = normalizeHost(host).split('.')[0];
    return this.#state.namespaces.filter(({ name }) => name.toLowerCase() === wanted);
  }

  #entityOf(namespace: NamespaceState, name: string): Entity<Listener> | undefined {
    const connection = namespace.connections.find((candidate) => candidate.name === name);
    if (connection === undefined) return undefined;
    let entity = this.#entities.get(connection);
    if (entity === undefined) {
      entity = new Entity<Listener>(namespace, connection);
      this.#entities.set(connection, entity);
    }
    return entity;
  }
}
