/**
 * The relay's clock, as the `Date` of its answers shows it, so that tokens are good for it though the clock of this
 * machine is behind, or is set back while it runs. Kept by elapsed time, which nobody sets. While a machine sleeps that
 * may stand still: then our own clock is the later one, and the later one counts.
 */
import type { HcmError } from '../protocol/errors.ts';
import { CLOCK_SKEW_LIMIT_MS } from '../protocol/limits.ts';
import type { Clock } from './clock.ts';
import type { TokenProvider } from './token-provider.ts';

/** `Date` has whole seconds, and took its time to get here. */
const NOTHING_MS = 5_000;

export class RelayTime {
  readonly #clock: Clock;
  /** The relay's time when our elapsed time was 0. */
  #atZeroMs: number | undefined;
  #toldMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** `skewMs`: our clock minus the relay's, at an answer that came just now. */
  learn(skewMs: number | undefined): void {
    if (skewMs !== undefined) this.#atZeroMs = this.#clock.nowMs() - skewMs - this.#clock.monotonicMs();
  }

  /** A refused token says how late it is there. True when that was not known: the next token is another one. */
  learnFrom({ code, details }: HcmError): boolean {
    const skewMs = details['skewMs'];
    // Of an error it is theirs minus ours.
    if (code !== 'HCM_CLOCK_SKEW' || typeof skewMs !== 'number') return false;
    const isNews = Math.abs((this.skewMs ?? 0) + skewMs) > NOTHING_MS;
    this.learn(-skewMs);
    return isNews && skewMs > 0;
  }

  /** Our clock minus the relay's, in ms, as far as is known. After sleep it may be too large. */
  get skewMs(): number | undefined {
    if (this.#atZeroMs === undefined) return undefined;
    return this.#clock.nowMs() - this.#atZeroMs - this.#clock.monotonicMs();
  }

  /** False where it may be sleep that made our clock look as if it were ahead. */
  get isSure(): boolean {
    return (this.skewMs ?? 0) < NOTHING_MS;
  }

  /** The skew when it is another one than what was told last: it spoils tokens, or it is mended. */
  skewToTell(): number | undefined {
    const { skewMs } = this;
    if (skewMs === undefined || Math.abs(skewMs - this.#toldMs) <= CLOCK_SKEW_LIMIT_MS) return undefined;
    return (this.#toldMs = Math.round(skewMs));
  }

  /** The same tokens, stamped with the relay's time where ours is behind it. */
  stamped(tokens: TokenProvider): TokenProvider {
    return {
      renewable: tokens.renewable,
      token: (entity) => {
        const behindMs = -(this.skewMs ?? 0);
        return tokens.token(behindMs > NOTHING_MS ? { ...entity, behindMs } : entity);
      },
      refused: () => tokens.refused?.() ?? false,
    };
  }
}
