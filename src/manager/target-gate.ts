/**
 * Whether the target of a listener is there, where its declaration wants that to be asked: what is down holds the listener
 * back. Without a check nothing is asked, and no target is ever down.
 */
import type { HcmError } from '../protocol/errors.ts';
import type { Clock } from '../tunnel/clock.ts';
import { metadataPauseMs } from '../tunnel/metadata-watch.ts';
import type { NamedTarget } from './named-target.ts';
import { TargetHealth } from './target-health.ts';
import type { ConnectionSpec, TargetQuestions } from './tunnel.ts';

export interface TargetGateOptions {
  clock: Clock;
  random: () => number;
  /** Absent: no target is asked for anything. */
  targets: TargetQuestions | undefined;
  named: NamedTarget;
  /** A tunnel that runs reads by itself what Azure names. */
  hasTunnel: () => boolean;
  /** What Azure names, read here. */
  onNamed: (target: string) => void;
  /** `turned`: it has gone, or is back. Else it is down for another reason, or there for the first time. */
  onChange: (turned: boolean) => void;
}

export class TargetGate {
  readonly #spec: ConnectionSpec;
  readonly #options: TargetGateOptions;
  readonly #health: TargetHealth | undefined;
  #down: HcmError | undefined;
  /** Resolves `first`. */
  #answered: () => void = () => undefined;

  constructor(spec: ConnectionSpec, options: TargetGateOptions) {
    this.#spec = spec;
    this.#options = options;
    this.#health = this.#createHealth();
  }

  /** Why it is down; undefined while it is there. */
  get down(): HcmError | undefined {
    return this.#down;
  }

  /** How often it is asked while all is well; undefined when it is not. */
  get everyMs(): number | undefined {
    return this.#health?.intervalMs;
  }

  /** When it is asked again, in wall-clock time. */
  get nextAtMs(): number | undefined {
    return this.#health && this.#options.clock.nowMs() + this.#health.nextInMs;
  }

  /** Asks for the first time. Resolves with the answer, at `stop`, and at once when nothing is to be asked. */
  first(): Promise<void> {
    if (!this.#health) return Promise.resolve();
    const answered = new Promise<void>((resolve) => (this.#answered = resolve));
    this.#health.checkNow();
    return answered;
  }

  checkNow(): void {
    this.#health?.checkNow();
  }

  stop(): void {
    this.#health?.stop();
    this.#answered();
  }

  #createHealth(): TargetHealth | undefined {
    const { clock, targets } = this.#options;
    const { declared } = this.#spec;
    const check = declared.kind === 'listener' ? declared.listener.healthCheck : undefined;
    if (!check || !targets) return undefined;
    return new TargetHealth({
      clock,
      intervalMs: check.everyMs,
      probe: (signal) => this.#probe(targets, signal),
      onChange: (down) => {
        const turned = (this.#down !== undefined) !== (down !== undefined);
        this.#down = down;
        this.#answered();
        this.#options.onChange(turned);
      },
    });
  }

  async #probe(targets: TargetQuestions, signal: AbortSignal): Promise<void> {
    await this.#readNamed(targets, signal);
    const { known: named, confirmed, isNeeded } = this.#options.named;
    if (isNeeded && named === undefined) return;
    await targets.probe(this.#spec, { named, confirmed, signal });
  }

  async #readNamed(targets: TargetQuestions, signal: AbortSignal): Promise<void> {
    const { clock, random, named, hasTunnel, onNamed } = this.#options;
    if (hasTunnel() || !named.isDue(clock.monotonicMs())) return;
    named.readAgainAt(clock.monotonicMs() + metadataPauseMs(random));
    const target = await targets.read(this.#spec, signal).catch(() => undefined);
    if (target === undefined || hasTunnel() || signal.aborted) return;
    onNamed(target);
    named.read(target);
  }
}
