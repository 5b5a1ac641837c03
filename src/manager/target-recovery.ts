/**
 * Targets that a stream found down are asked quietly until they answer, so that nobody has to send a stream to learn
 * that they are back. A target that is well is never asked.
 */
import type { Clock } from '../tunnel/clock.ts';

/** What one sees of a target should be shown within 2 s. */
const RECOVERY_INTERVAL_MS = 1_000;

export interface TargetRecoveryOptions {
  clock: Clock;
  /** Resolves when the target is there. Bounded in time by itself. */
  reach: (target: string, signal: AbortSignal) => Promise<void>;
  onBack: (target: string) => void;
}

export class TargetRecovery {
  readonly #options: TargetRecoveryOptions;
  #targets: readonly string[] = [];
  #asking: AbortController | undefined;
  #cancel: (() => void) | undefined;

  constructor(options: TargetRecoveryOptions) {
    this.#options = options;
  }

  /** From now on exactly these are asked; none ends it. */
  follow(targets: readonly string[]): void {
    this.#targets = targets;
    if (targets.length === 0) this.stop();
    else if (!this.#asking && !this.#cancel) this.#wait();
  }

  stop(): void {
    this.#targets = [];
    this.#cancel?.();
    this.#cancel = undefined;
    this.#asking?.abort();
    this.#asking = undefined;
  }

  #wait(): void {
    this.#cancel = this.#options.clock.setTimer(RECOVERY_INTERVAL_MS, () => void this.#ask());
  }

  async #ask(): Promise<void> {
    const { reach, onBack } = this.#options;
    const asking = new AbortController();
    this.#cancel = undefined;
    this.#asking = asking;
    const answers = await Promise.all(
      this.#targets.map((target) =>
        reach(target, asking.signal).then(
          () => target,
          () => undefined,
        ),
      ),
    );
    if (asking.signal.aborted) return;
    this.#asking = undefined;
    for (const target of answers) if (target !== undefined && this.#targets.includes(target)) onBack(target);
    if (this.#targets.length > 0 && !this.#cancel) this.#wait();
  }
}
