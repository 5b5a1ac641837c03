/**
 * Asks a target again and again whether it is there. One failure may be chance, two in a row are an outage; one success
 * ends it.
 */
import type { HcmError } from '../protocol/errors.ts';
import type { Clock } from '../tunnel/clock.ts';
import { asHcmError } from '../tunnel/emitter.ts';

/** Pause between two checks while all is well. */
const CHECK_INTERVAL_MS = 10_000;
/** The same after a failure: an outage should be seen, and be over, soon after its cause. */
const CHECK_INTERVAL_DOWN_MS = 1_000;
const FAILURES_TO_BE_DOWN = 2;

export interface TargetHealthOptions {
  clock: Clock;
  /** Resolves when the target is there; rejects with why it is not. Bounded in time by itself. */
  probe: (signal: AbortSignal) => Promise<void>;
  /** Called with the first answer, at each change, and when the reason is another. Undefined: it is there. */
  onChange: (down: HcmError | undefined) => void;
  intervalMs?: number | undefined;
}

export class TargetHealth {
  readonly #options: TargetHealthOptions;
  readonly #stopping = new AbortController();
  #cancel: () => void = () => undefined;
  #failures = 0;
  /** Undefined before the first answer. */
  #isUp: boolean | undefined;
  #code: string | undefined;
  #isAsking = false;
  #nextMs: number | undefined;

  constructor(options: TargetHealthOptions) {
    this.#options = options;
  }

  get intervalMs(): number {
    return this.#options.intervalMs ?? CHECK_INTERVAL_MS;
  }

  /** In how many ms it asks again; 0 while it does. */
  get nextInMs(): number {
    const { clock } = this.#options;
    return this.#nextMs === undefined ? 0 : Math.max(this.#nextMs - clock.monotonicMs(), 0);
  }

  /** Asks at once. The first call begins. */
  checkNow(): void {
    if (this.#isAsking || this.#stopping.signal.aborted) return;
    this.#cancel();
    void this.#check();
  }

  stop(): void {
    this.#stopping.abort();
    this.#cancel();
  }

  async #check(): Promise<void> {
    const { probe, clock } = this.#options;
    const { signal } = this.#stopping;
    this.#isAsking = true;
    this.#nextMs = undefined;
    const down = await probe(signal).then(
      () => undefined,
      (error: unknown) => asHcmError(error),
    );
    this.#isAsking = false;
    if (signal.aborted) return;
    const pauseMs = down ? Math.min(this.intervalMs, CHECK_INTERVAL_DOWN_MS) : this.intervalMs;
    this.#nextMs = clock.monotonicMs() + pauseMs;
    this.#cancel = clock.setTimer(pauseMs, () => void this.#check());
    this.#judge(down);
  }

  #judge(down: HcmError | undefined): void {
    this.#failures = down === undefined ? 0 : this.#failures + 1;
    const isUp = down === undefined;
    // The first answer counts as it is: a listener must not begin in front of a target that is down.
    const isCertain = isUp || this.#isUp === undefined || this.#failures >= FAILURES_TO_BE_DOWN;
    if (!isCertain || (this.#isUp === isUp && this.#code === down?.code)) return;
    this.#isUp = isUp;
    this.#code = down?.code;
    this.#options.onChange(down);
  }
}
