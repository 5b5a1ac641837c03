/**
 * Who may use the web page: codes that work once within a minute, and the sessions that they are swapped for. Only
 * hashes are kept: what is read out of this memory lets nobody in.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../../tunnel/clock.ts';

/** Long enough for a browser to start. */
export const CODE_LIFETIME_MS = 60_000;
/** A working day; `hcm dashboard` makes a new session at any time. */
export const SESSION_LIFETIME_MS = 12 * 3_600_000;
/** Beyond these the oldest goes: one who asks a thousand times must not fill the memory. */
const CODES_MAX = 16;
const SESSIONS_MAX = 32;
/** 256 bits: nobody guesses one, so wrong ones need not be counted, and lock nobody out. */
const SECRET_BYTES = 32;

export interface Invitation {
  readonly code: string;
  /** Wall-clock time. */
  readonly expiresMs: number;
}

export interface Session {
  /** Calls `cut` when the session is over; the returned function takes that back. */
  onEnd(cut: () => void): () => void;
}

export class Sessions {
  readonly #clock: Clock;
  readonly #codes = new Set<Pass>();
  readonly #sessions = new Set<Pass>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  invite(): Invitation {
    const code = this.#issue(this.#codes, CODE_LIFETIME_MS, CODES_MAX);
    return { code, expiresMs: this.#clock.nowMs() + CODE_LIFETIME_MS };
  }

  /** The secret of a new session; undefined for a code that is unknown, used, or too old. */
  redeem(code: string): string | undefined {
    const pass = find(this.#codes, code);
    if (pass === undefined) return undefined;
    pass.end();
    return this.#issue(this.#sessions, SESSION_LIFETIME_MS, SESSIONS_MAX);
  }

  find(secret: string): Session | undefined {
    return find(this.#sessions, secret);
  }

  /** Ends all of them. */
  close(): void {
    for (const pass of [...this.#codes, ...this.#sessions]) pass.end();
  }

  #issue(passes: Set<Pass>, lifetimeMs: number, max: number): string {
    const secret = randomBytes(SECRET_BYTES).toString('base64url');
    const [oldest] = passes;
    if (oldest && passes.size >= max) oldest.end();
    const pass = new Pass(secret, () => passes.delete(pass), { clock: this.#clock, lifetimeMs });
    passes.add(pass);
    return secret;
  }
}

/** One code, or one session, until its time is over. */
class Pass implements Session {
  readonly hash: Buffer;
  readonly #clock: Clock;
  readonly #expiresMs: number;
  readonly #cuts = new Set<() => void>();
  readonly #end: () => void;

  constructor(
    secret: string,
    onEnd: () => void,
    { clock, lifetimeMs }: { clock: Clock; lifetimeMs: number },
  ) {
    this.hash = hashOf(secret);
    this.#clock = clock;
    this.#expiresMs = clock.nowMs() + lifetimeMs;
    const cancel = clock.setTimer(lifetimeMs, () => this.end());
    this.#end = () => {
      cancel();
      onEnd();
    };
  }

  /** Timers stand still while the machine sleeps; the wall clock does not. */
  get isOver(): boolean {
    return this.#clock.nowMs() >= this.#expiresMs;
  }

  onEnd(cut: () => void): () => void {
    this.#cuts.add(cut);
    return () => void this.#cuts.delete(cut);
  }

  end(): void {
    this.#end();
    for (const cut of this.#cuts) cut();
    this.#cuts.clear();
  }
}

/** Compares with all of them: how long it takes tells nothing. */
function find(passes: ReadonlySet<Pass>, secret: string): Pass | undefined {
  const hash = hashOf(secret);
  const [found] = [...passes].filter((pass) => timingSafeEqual(pass.hash, hash));
  if (!found?.isOver) return found;
  found.end();
  return undefined;
}

function hashOf(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}
