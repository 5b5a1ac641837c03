/** Values that are good for a while, by key. No timers: what is over goes when somebody looks. */
export class ExpiringMap<T> {
  readonly #nowMs: () => number;
  readonly #entries = new Map<string, { value: T; endsAtMs: number }>();

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  set(key: string, value: T, lifetimeMs: number): void {
    for (const [known, { endsAtMs }] of this.#entries) {
      if (endsAtMs <= this.#nowMs()) this.#entries.delete(known);
    }
    this.#entries.set(key, { value, endsAtMs: this.#nowMs() + lifetimeMs });
  }

  /** Undefined when it is over, too. */
  get(key: string): T | undefined {
    const entry = this.#entries.get(key);
    return entry !== undefined && entry.endsAtMs > this.#nowMs() ? entry.value : undefined;
  }

  values(): T[] {
    return [...this.#entries.keys()].flatMap((key) => this.get(key) ?? []);
  }
}
