/**
 * Where a listener's streams lead: what it was told; or what Azure describes, read before the listener comes online and
 * again while it is.
 */
import {
  formatTargetAddress,
  type HttpTargetAddress,
  type TargetAddress,
} from '../protocol/target-address.ts';
import type { CancelSignal } from '../websocket/cancel-signal.ts';
import { describePorts } from './azbridge/azbridge-dialect.ts';
import type { Clock } from './clock.ts';
import { asHcmError, connectionName, type Emit } from './emitter.ts';
import { readEntity } from './entity-reader.ts';
import { watchMetadata } from './metadata-watch.ts';
import type { Connection, ListenerOptions } from './options.ts';
import type { RelayDialer } from './relay-dialer.ts';
import { TargetSource } from './target-source.ts';
import type { TokenProvider } from './token-provider.ts';

export interface ListenerTargetUse {
  connection: Connection & { tokens: TokenProvider };
  dialer: RelayDialer;
  clock: Clock;
  random: () => number;
  emit: Emit;
  /** Whoever serves HTTP needs no target: streams alone are turned away without one. */
  isOptional: () => boolean;
}

export class ListenerTarget {
  readonly source: TargetSource;
  readonly #options: ListenerOptions;
  readonly #use: ListenerTargetUse;

  constructor(options: ListenerOptions, use: ListenerTargetUse) {
    this.source = new TargetSource(givenAddress(options), options.allow, options.confirmedTarget);
    this.#options = options;
    this.#use = use;
  }

  /** As it stands in events. */
  get name(): string | undefined {
    const { dialect, ports } = this.#options;
    const { address } = this.source;
    return dialect === 'azbridge' ? describePorts(ports) : address && formatTargetAddress(address);
  }

  /** What is known already is enough to begin with: a description that cannot be read keeps nobody offline. */
  get isKnown(): boolean {
    return !this.#isDescribed || this.source.address !== undefined;
  }

  /** Rejects with HcmError, also HCM_TARGET_MISSING where one is needed and none is described. */
  async learn(signal: CancelSignal): Promise<void> {
    const { connection, dialer, clock, isOptional } = this.#use;
    const description = await readEntity(connection, { dialer, clock, signal });
    try {
      this.source.learn(description, connectionName(connection));
    } catch (error) {
      if (!isOptional() || asHcmError(error).code !== 'HCM_TARGET_MISSING') throw error;
    }
  }

  /** Reads it again until the returned function is called. `isStale`: at once, since what is known is from before. */
  keepReading(isStale: boolean): () => void {
    if (!this.#isDescribed) return () => undefined;
    const { clock, random } = this.#use;
    return watchMetadata({ clock, random, isStale, read: (signal) => this.#readAgain(signal) });
  }

  async #readAgain(signal: CancelSignal): Promise<void> {
    const before = this.name;
    await this.learn(signal);
    const { name } = this;
    if (name === undefined || name === before || signal.aborted) return;
    this.#use.emit({ event: 'target-changed', target: name, error: this.source.refusal });
  }

  get #isDescribed(): boolean {
    return this.source.needsMetadata && this.#options.dialect !== 'azbridge';
  }
}

function givenAddress({ address, target }: ListenerOptions): TargetAddress | undefined {
  return address ?? (target && { kind: 'tcp', ...target });
}

/** Where relayed requests go. Of azbridge its two names for that. */
export function httpAddressOf({ address, dialect, ports }: ListenerOptions): HttpTargetAddress | undefined {
  const found = dialect === 'azbridge' ? (ports?.get('http') ?? ports?.get('https')) : address;
  return found?.kind === 'http' ? found : undefined;
}
