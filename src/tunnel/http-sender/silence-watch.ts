/** Notices that nothing has come for a while. One timer for the whole time, set again for the rest. */
import type { Clock } from '../clock.ts';

export class SilenceWatch {
  readonly #clock: Clock;
  readonly #onSilent: () => void;
  #limitMs: number | undefined;
  #heardMs: number;
  #cancel: () => void = () => undefined;

  constructor(clock: Clock, onSilent: () => void) {
    this.#clock = clock;
    this.#onSilent = onSilent;
    this.#heardMs = clock.monotonicMs();
  }

  /** From now on: silence of `limitMs`; undefined for no limit. */
  limit(limitMs: number | undefined): void {
    this.#cancel();
    this.#limitMs = limitMs;
    this.heard();
    if (limitMs !== undefined) this.#cancel = this.#clock.setTimer(limitMs, () => this.#look());
  }

  heard(): void {
    this.#heardMs = this.#clock.monotonicMs();
  }

  stop(): void {
    this.#cancel();
  }

  #look(): void {
    const leftMs = this.#heardMs + (this.#limitMs ?? 0) - this.#clock.monotonicMs();
    if (leftMs > 0) this.#cancel = this.#clock.setTimer(leftMs, () => this.#look());
    else this.#onSilent();
  }
}
