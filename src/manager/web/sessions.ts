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

/** Both halves of a new session. */
export interface Entry {
  /** The browser sends it by itself, to every port of this machine. */
  readonly cookie: string;
  /** The page alone sends it. */
  readonly pageKey: string;
}

export interface Session {
  isKey(pageKey: string): boolean;
  /** Calls `cut` when the session is over; the returned function takes that back. */
  onEnd(cut: () => void): () => void;
}

export class Sessions {
  readonly #clock: Clock;
  readonly #codes = new Set<Pass>();
  readonly #sessions = new Set<SessionPass>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  invite(): Invitation {
    const code = randomSecret();
    admit(this.#codes, new Pass(code, this.#clock, CODE_LIFETIME_MS), CODES_MAX);
    return { code, expiresMs: this.#clock.nowMs() + CODE_LIFETIME_MS };
  }

  /** A new session; undefined for a code that is unknown, used, or too old. */
  redeem(code: string): Entry | undefined {
    const invitation = find(this.#codes, code);
    if (invitation === undefined) return undefined;
    invitation.end();
    const entry = { cookie: randomSecret(), pageKey: randomSecret() };
    admit(this.#sessions, new SessionPass(entry, this.#clock), SESSIONS_MAX);
    return entry;
  }

  find(cookie: string): Session | undefined {
    return find(this.#sessions, cookie);
  }

  /** Ends all of them. */
  close(): void {
    for (const pass of [...this.#codes, ...this.#sessions]) pass.end();
  }
}

/** One code, or one session, until its time is over. */
class Pass {
  readonly hash: Buffer;
  readonly #clock: Clock;
  readonly #expiresMs: number;
  readonly #cuts = new Set<() => void>();
  readonly #cancel: () => void;

  constructor(secret: string, clock: Clock, lifetimeMs: number) {
    this.hash = hashOf(secret);
    this.#clock = clock;
    this.#expiresMs = clock.nowMs() + lifetimeMs;
    this.#cancel = clock.setTimer(lifetimeMs, () => this.end());
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
    this.#cancel();
    for (const cut of this.#cuts) cut();
    this.#cuts.clear();
  }
}

class SessionPass extends Pass implements Session {
  readonly #keyHash: Buffer;

  constructor({ cookie, pageKey }: Entry, clock: Clock) {
    super(cookie, clock, SESSION_LIFETIME_MS);
    this.#keyHash = hashOf(pageKey);
  }

  isKey(pageKey: string): boolean {
    return timingSafeEqual(this.#keyHash, hashOf(pageKey));
  }
}

function admit<T extends Pass>(passes: Set<T>, pass: T, max: number): void {
  const [oldest] = passes;
  if (oldest && passes.size >= max) oldest.end();
  passes.add(pass);
  pass.onEnd(() => void passes.delete(pass));
}

/** Compares with all of them: how long it takes tells nothing. */
function find<T extends Pass>(passes: ReadonlySet<T>, secret: string): T | undefined {
  const hash = hashOf(secret);
  const [found] = [...passes].filter((pass) => timingSafeEqual(pass.hash, hash));
  if (!found?.isOver) return found;
  found.end();
  return undefined;
}

function randomSecret(): string {
  return randomBytes(SECRET_BYTES).toString('base64url');
}

function hashOf(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}
