/** What the manager supervises: a listener or local ports, opened from what a file or the store says of them. */
import type { ForwardDeclaration, ListenerDeclaration } from '../lib/config/hcm-yaml/manager-declaration.ts';
import type { HcmError } from '../protocol/errors.ts';
import type { Target } from '../protocol/target.ts';
import type { TunnelEventHandler } from '../tunnel/events.ts';
import type { LiveStream } from '../tunnel/stream-set.ts';

/** What a file or the store says of one connection. */
export type Declared =
  | { readonly kind: 'listener'; readonly listener: ListenerDeclaration }
  | { readonly kind: 'forward'; readonly forward: ForwardDeclaration };

/** One connection as it is wanted. Two specs with the same `fingerprint` need no restart. */
export interface ConnectionSpec {
  /** Unique, stable over restarts and edits: `listen NAMESPACE/NAME`, `forward NAMESPACE/NAME`. */
  readonly id: string;
  readonly role: 'listener' | 'forward';
  /** NAMESPACE/NAME. */
  readonly connection: string;
  readonly source: 'file' | 'store';
  readonly declared: Declared;
  /** The target that was confirmed, of a listener that reads it from Azure; another one is not forwarded to. */
  readonly pinned?: Target | undefined;
  /** Everything that a change of must reopen the tunnel, as text, without secrets. */
  readonly fingerprint: string;
}

export interface ManagedTunnel {
  /** Where local clients connect; empty for a listener. */
  readonly binds: readonly string[];
  /** Resolves when it is over though nobody stopped it; never rejects. */
  readonly ended: Promise<HcmError | undefined>;
  /** Tries at once, where it waits for its next attempt; absent where nothing is tried. */
  hurry?(): void;
  /** Streams finish for up to `graceMs`. May be called again with a shorter grace. */
  stop(options: { graceMs: number }): Promise<void>;
  /**
   * The key was changed: takes the new one for all that comes, and no stream notices. False: what is new is more than a key,
   * and the tunnel has to be opened anew. Rejects with HcmError when there is none to be had; the old one goes on then.
   */
  renewKey?(): Promise<boolean>;
  /** Open streams with what they have carried so far. */
  streams(): readonly LiveStream[];
}

/**
 * Rejects with HcmError when it cannot be opened: a port in use, no key to be had. Settles soon after `signal` fires.
 * `confirmed`: the only target that Azure may name, where it is Azure that names it and there is no allow-list.
 */
export type OpenTunnel = (
  spec: ConnectionSpec,
  use: { onEvent: TunnelEventHandler; signal: AbortSignal; confirmed?: string | undefined },
) => Promise<ManagedTunnel>;

/** What may be asked about the targets of a connection. Each answer comes within some seconds, or when `signal` fires. */
export interface TargetQuestions {
  /** Resolves when streams of this connection reach a target; rejects with HcmError. `named`: by Azure. */
  probe(
    spec: ConnectionSpec,
    use: { named: string | undefined; confirmed: string | undefined; signal: AbortSignal },
  ): Promise<void>;
  /** The same of one target, as it stands in an event. */
  reach(
    spec: ConnectionSpec,
    target: string,
    use: { confirmed: string | undefined; signal: AbortSignal },
  ): Promise<void>;
  /** The target that Azure names now. */
  read(spec: ConnectionSpec, signal: AbortSignal): Promise<string | undefined>;
}
