/**
 * What the manager knows of one connection, read from the events of its tunnel: its state and the reason for it, its
 * open streams, its totals, its last errors. Holds text and numbers only: an event's error is copied, not kept.
 */
import { remedyOf } from '../lib/error-table.ts';
import type { ErrorCode, ErrorDetails, HcmError } from '../protocol/errors.ts';
import { redact } from '../protocol/redact.ts';
import type { TunnelEvent } from '../tunnel/events.ts';
import { SetUpTimes } from './set-up-times.ts';

/** Why something is as it is, and what to do about it. */
export interface Reason {
  readonly code: ErrorCode;
  readonly message: string;
  readonly next?: string | undefined;
}

/**
 * `online`: registered, or bound, and the last stream found its way. `degraded`: the same, but something keeps traffic
 * from its target. `target-down`: not registered on purpose, so that the relay chooses another machine.
 */
export type ConnectionState = { readonly sinceMs: number } & (
  | { readonly name: 'connecting' | 'online' | 'stopped' }
  | { readonly name: 'degraded' | 'target-down' | 'failed'; readonly reason: Reason }
  | { readonly name: 'waiting'; readonly reason: Reason; readonly retryAtMs: number }
);

export interface OpenStreamRecord {
  readonly stream: string;
  readonly sinceMs: number;
  readonly target?: string | undefined;
  readonly remote?: string | undefined;
}

export interface PastError extends Reason {
  readonly atMs: number;
  readonly stream?: string | undefined;
}

export interface Totals {
  /** Streams that were opened, and that were refused or rejected. */
  opened: number;
  refused: number;
  /** Of streams that are over; what open ones have carried is asked of the tunnel. */
  bytesIn: number;
  bytesOut: number;
  /** How often the control channel was lost. */
  reconnects: number;
}

/** So many errors are kept of each connection, the newest first. */
const ERRORS_KEPT = 20;

type StateBody = ConnectionState extends infer S ? (S extends unknown ? Omit<S, 'sinceMs'> : never) : never;

export class ConnectionRecord {
  readonly totals: Totals = { opened: 0, refused: 0, bytesIn: 0, bytesOut: 0, reconnects: 0 };
  readonly errors: PastError[] = [];
  readonly streams = new Map<string, OpenStreamRecord>();
  /** How often each error came. */
  readonly errorCounts = new Map<ErrorCode, number>();
  readonly setUp = new SetUpTimes();
  readonly #nowMs: () => number;
  readonly #pinned: string | undefined;
  readonly #onChange: (state: ConnectionState) => void;
  #state: ConnectionState;
  /** Registered or bound, whatever becomes of its streams. */
  #isUp = false;
  /** What keeps traffic from the target while the tunnel itself is up. */
  #problem: Reason | undefined;
  #target: string | undefined;

  /** `pinned`: the only target that was confirmed, as text. */
  constructor(
    nowMs: () => number,
    onChange: (state: ConnectionState) => void = () => undefined,
    pinned?: string,
  ) {
    this.#nowMs = nowMs;
    this.#pinned = pinned;
    this.#onChange = onChange;
    this.#state = { name: 'connecting', sinceMs: nowMs() };
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** Where it leads, once that is known. */
  get target(): string | undefined {
    return this.#target;
  }

  apply(event: TunnelEvent): void {
    switch (event.event) {
      case 'connecting':
        return this.#down({ name: 'connecting' });
      case 'online':
        this.#target = event.target ?? this.#target;
        return this.up(this.#foreignTarget());
      case 'reconnecting':
        this.totals.reconnects += 1;
        this.#note(event.error);
        return this.#down({
          name: 'waiting',
          reason: reasonOf(event.error),
          retryAtMs: this.#nowMs() + event.retryInMs,
        });
      case 'offline':
        return event.error ? this.fail(event.error) : this.stop();
      case 'accepted':
        this.setUp.note(event.setupMs);
        this.#opened(event.stream, event);
        return this.#mended();
      case 'opened':
        this.setUp.note(event.setupMs);
        this.#opened(event.stream, {});
        return this.#mended();
      case 'rejected':
      case 'refused':
        this.totals.refused += 1;
        this.#note(event.error, event.stream);
        if (!keepsTrafficOut(event.error.code)) return;
        return this.report(event.error);
      case 'closed':
        this.streams.delete(event.stream);
        this.totals.bytesIn += event.bytesIn;
        this.totals.bytesOut += event.bytesOut;
        if (event.error && event.error.code !== 'HCM_ABORTED') this.#note(event.error, event.stream);
        return;
      case 'request':
        this.totals.bytesIn += event.bytesIn;
        this.totals.bytesOut += event.bytesOut;
        if (event.error) this.#note(event.error, event.stream);
        return;
      case 'opening':
      case 'datagrams-dropped':
      case 'token-renewed':
      case 'clock-skew':
        return;
    }
  }

  /** Registered at the relay, or bound. */
  up(problem?: Reason): void {
    this.#isUp = true;
    this.#problem = problem;
    this.#show();
  }

  /** Something keeps traffic from its target, though the tunnel is up. */
  report(problem: HcmError | Reason): void {
    this.#problem = reasonOf(problem);
    if (this.#isUp) this.#show();
  }

  /** Not registered on purpose, because its target does not answer. */
  gate(reason: Reason): void {
    this.#note(reason);
    this.#down({ name: 'target-down', reason });
  }

  /** It cannot run; the manager tries again at `retryAtMs`, if at all. */
  fail(error: HcmError, retryAtMs?: number): void {
    this.#note(error);
    const reason = reasonOf(error);
    this.#down(retryAtMs === undefined ? { name: 'failed', reason } : { name: 'waiting', reason, retryAtMs });
  }

  stop(): void {
    this.#down({ name: 'stopped' });
  }

  #opened(stream: string, about: { target?: string | undefined; remote?: string | undefined }): void {
    this.totals.opened += 1;
    this.streams.set(stream, {
      stream,
      sinceMs: this.#nowMs(),
      target: about.target ?? this.#target,
      remote: about.remote,
    });
  }

  /** Azure names another target than the one that was confirmed: nothing is forwarded to it. */
  #foreignTarget(): Reason | undefined {
    if (this.#pinned === undefined || this.#target === undefined || this.#target === this.#pinned)
      return undefined;
    const message = `Azure names the target ${this.#target} now; ${this.#pinned} was confirmed`;
    return { code: 'HCM_TARGET_NOT_ALLOWED', message };
  }

  #mended(): void {
    if (this.#problem === undefined) return;
    this.#problem = undefined;
    this.#show();
  }

  #show(): void {
    this.#set(this.#problem ? { name: 'degraded', reason: this.#problem } : { name: 'online' });
  }

  #down(state: StateBody): void {
    this.#isUp = false;
    this.#problem = undefined;
    this.#set(state);
  }

  #set(next: StateBody): void {
    const { sinceMs, ...now } = this.#state;
    const same = now.name === next.name;
    if (same && JSON.stringify(now) === JSON.stringify(next)) return;
    this.#state = { ...next, sinceMs: same ? sinceMs : this.#nowMs() };
    this.#onChange(this.#state);
  }

  #note(error: Reason, stream?: string): void {
    this.errorCounts.set(error.code, (this.errorCounts.get(error.code) ?? 0) + 1);
    this.errors.unshift({ ...reasonOf(error), atMs: this.#nowMs(), stream });
    if (this.errors.length > ERRORS_KEPT) this.errors.pop();
  }
}

function reasonOf(error: Reason & { details?: ErrorDetails }): Reason {
  const { code, message, next = remedyOf(error) } = error;
  return { code, message: redact(message), next: redact(next) };
}

/** A stream that one client gave up says nothing about the next; a target that refuses does. */
function keepsTrafficOut(code: ErrorCode): boolean {
  return code !== 'HCM_ABORTED' && code !== 'HCM_RENDEZVOUS_EXPIRED';
}
