/**
 * The target that Azure names for a listener which was told none: the newest that may be asked, the one that was confirmed, and
 * when to read it again while no tunnel does. Without anybody's word the first that was seen counts as confirmed.
 */
import { formatTarget } from '../protocol/target.ts';
import { isConfirmed } from './target-questions.ts';
import type { ConnectionSpec } from './tunnel.ts';

export class NamedTarget {
  /** False: the listener has its own target, or logical ports. */
  readonly isNeeded: boolean;
  readonly #hasAllowList: boolean;
  readonly #pinned: string | undefined;
  #firstSeen: string | undefined;
  #known: string | undefined;
  #readAgainAtMs = -Infinity;

  constructor({ declared, pinned }: ConnectionSpec) {
    const listener = declared.kind === 'listener' ? declared.listener : undefined;
    this.isNeeded = listener?.targets.dialect === 'raw' && listener.targets.target === undefined;
    this.#hasAllowList = listener?.allow !== undefined;
    this.#pinned = pinned && formatTarget(pinned);
  }

  /** What may be asked whether it is there; undefined before it is known, and when it may not be dialed. */
  get known(): string | undefined {
    return this.#known;
  }

  /** Undefined where an allow-list says what may be dialed. */
  get confirmed(): string | undefined {
    return this.#hasAllowList ? undefined : (this.#pinned ?? this.#firstSeen);
  }

  /** A tunnel has told it. True when there is something new to ask. */
  told(target: string, isRefused: boolean): boolean {
    if (!this.isNeeded) return false;
    const before = this.#known;
    this.#known = isRefused ? undefined : target;
    if (!isRefused) this.#firstSeen ??= target;
    return this.#known !== before;
  }

  /** It was read without a tunnel. */
  read(target: string): void {
    const { confirmed } = this;
    this.told(target, confirmed !== undefined && !isConfirmed(target, confirmed));
  }

  isDue(atMs: number): boolean {
    return this.isNeeded && (atMs >= this.#readAgainAtMs || this.#known === undefined);
  }

  readAgainAt(atMs: number): void {
    this.#readAgainAtMs = atMs;
  }

  /** It is to be read again, and what was seen first counts no more. */
  forget(): void {
    this.#firstSeen = undefined;
    this.#readAgainAtMs = -Infinity;
  }
}
