/** When to try again: 1 s doubling to 30 s with jitter, from the start again after health. Pure but for `random`. */
import type { ErrorCode } from '../protocol/errors.ts';

const FIRST_DELAY_MS = 1_000;
const LAST_DELAY_MS = 30_000;
/** Jitter takes up to this share away, so that many listeners do not come back in step. It never adds. */
const JITTER_SHARE = 0.25;
/** A channel that lived this long was healthy: the next loss starts from the shortest delay. */
const HEALTHY_AFTER_MS = 5_000;
/** Somebody must change something in Azure: do not hurry. Never final for a listener that was online once. */
const SLOW_DELAY_MS = 10_000;

/** What a first attempt may end on: nothing that waiting alone would mend. */
const FINAL: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'HCM_TOKEN_MISSING',
  'HCM_TOKEN_MALFORMED',
  'HCM_TOKEN_SIGNATURE',
  'HCM_TOKEN_EXPIRED',
  'HCM_TOKEN_AUDIENCE',
  'HCM_RIGHT_MISSING',
  'HCM_UNAUTHORIZED',
  'HCM_FORBIDDEN',
  'HCM_IP_NOT_ALLOWED',
  'HCM_CLOCK_SKEW',
  'HCM_ENTITY_NOT_FOUND',
  'HCM_TARGET_MISSING',
  'HCM_TARGET_INVALID',
  'HCM_UNEXPECTED',
]);

export function isFinal(code: ErrorCode): boolean {
  return FINAL.has(code);
}

export class ReconnectPolicy {
  readonly #random: () => number;
  #failures = 0;

  constructor(random: () => number) {
    this.#random = random;
  }

  /** How many attempts in a row have failed. */
  get failures(): number {
    return this.#failures;
  }

  /** The delay in ms before the next attempt, after one that ended with `code` and was online for `onlineMs`. */
  next(code: ErrorCode, onlineMs: number): number {
    if (onlineMs >= HEALTHY_AFTER_MS) this.#failures = 0;
    const doubled = Math.min(FIRST_DELAY_MS * 2 ** this.#failures, LAST_DELAY_MS);
    this.#failures += 1;
    const delayMs = isFinal(code) ? Math.max(doubled, SLOW_DELAY_MS) : doubled;
    return Math.round(delayMs * (1 - JITTER_SHARE * this.#random()));
  }
}
