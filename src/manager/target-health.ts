/**
 * Asks a target again and again whether it is there: TCP (or a Unix socket) must open, a web server must answer, too.
 * One failure may be chance, two in a row are an outage; one success ends it.
 */
import type { HcmError } from '../protocol/errors.ts';
import type { Clock } from '../tunnel/clock.ts';
import { asHcmError } from '../tunnel/emitter.ts';

/** Pause between two checks while all is well, and while it is not: an outage should end soon after its cause. */
export const CHECK_INTERVAL_MS = 10_000;
const CHECK_INTERVAL_DOWN_MS = 2_000;
const FAILURES_TO_BE_DOWN = 2;

export interface TargetHealthOptions {
  clock: Clock;
  /** Resolves when the target is there; rejects with why it is not. Bounded in time by itself. */
  probe: (signal: AbortSignal) => Promise<void>;
  /** Called at each change, and once at the start. Undefined: it is there. */
  onChange: (down: HcmError | undefined) => void;
  intervalMs?: number | undefined;
}

export class TargetHealth {
  readonly #options: TargetHealthOptions;
  readonly #stopping = new AbortController();
  #cancel: () => void = () => undefined;
  #failures = 0;
  #isUp: boolean | undefined;

  constructor(options: TargetHealthOptions) {
    this.#options = options;
  }

  /** Checks at once. */
  start(): void {
    void this.#check();
  }

  stop(): void {
    this.#stopping.abort();
    this.#cancel();
  }

  async #check(): Promise<void> {
    const { probe, onChange, clock, intervalMs = CHECK_INTERVAL_MS } = this.#options;
    const { signal } = this.#stopping;
    const down = await probe(signal).then(
      () => undefined,
      (error: unknown) => asHcmError(error),
    );
    if (signal.aborted) return;
    this.#failures = down === undefined ? 0 : this.#failures + 1;
    const isUp = down === undefined;
    // The first answer counts as it is: a listener must not begin in front of a target that is down.
    const isCertain = isUp || this.#isUp === undefined || this.#failures >= FAILURES_TO_BE_DOWN;
    if (isCertain && this.#isUp !== isUp) {
      this.#isUp = isUp;
      onChange(down);
    }
    const pauseMs = isUp ? intervalMs : Math.min(intervalMs, CHECK_INTERVAL_DOWN_MS);
    this.#cancel = clock.setTimer(pauseMs, () => void this.#check());
  }
}
