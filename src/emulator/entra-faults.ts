/** Misbehaviour of the sign-in on purpose. */
import type { AadstsNumber } from './entra/aadsts.ts';

interface SignInRefusal {
  /** The number of the error, e.g. 50076 (another factor is asked for), 700082 (the refresh token is too old). */
  readonly aadsts: AadstsNumber;
  /** How many requests for a token; default all until it is taken back. */
  readonly times?: number;
}

export class EntraFaults {
  /** Access tokens from before this second (since 1970) are refused with a claims challenge; 0: none is. */
  tokensNotBeforeS = 0;
  readonly #refusals: { refusal: SignInRefusal; left: number }[] = [];

  /** Answers requests for a token with an error. Returns how to take it back. */
  refuse(refusal: SignInRefusal): () => void {
    const entry = { refusal, left: refusal.times ?? Infinity };
    this.#refusals.push(entry);
    return () => (entry.left = 0);
  }

  /**
   * Continuous access evaluation strikes: every access token given until now is refused, with claims that the client
   * must ask a new one with.
   */
  revokeTokens(nowMs = Date.now()): void {
    // Tokens count in seconds, and those of this second are to be hit, too.
    this.tokensNotBeforeS = Math.floor(nowMs / 1_000) + 1;
  }

  clear(): void {
    this.tokensNotBeforeS = 0;
    this.#refusals.length = 0;
  }

  /** For the token endpoint: the error that hits this request, which is counted. */
  takeRefusal(): AadstsNumber | undefined {
    const entry = this.#refusals.find(({ left }) => left > 0);
    if (entry === undefined) return undefined;
    entry.left -= 1;
    return entry.refusal.aadsts;
  }
}
