/**
 * What the manager knows of one connection, read from the events of its tunnel: its state and the reason for it, its
 * open streams, its totals, its last errors. Holds text and numbers only: an event's error is copied, not kept.
 */
import { remedyOf } from '../lib/error-table.ts';
import type { ErrorCode, ErrorDetails, HcmError } from '../protocol/errors.ts';
import { redact } from '../protocol/redact.ts';
import type { TunnelEvent } from '../tunnel/events.ts';
import { Problems } from './problems.ts';
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

/** Of one stream or request. */
type StreamEvent = Extract<
  TunnelEvent,
  { event: 'accepted' | 'opened' | 'rejected' | 'refused' | 'closed' | 'request' }
>;

export class ConnectionRecord {
  readonly totals: Totals = { opened: 0, refused: 0, bytesIn: 0, bytesOut: 0, reconnects: 0 };
  readonly errors: PastError[] = [];
  readonly streams = new Map<string, OpenStreamRecord>();
  /** How often each error came. */
  readonly errorCounts = new Map<ErrorCode, number>();
  readonly setUp = new SetUpTimes();
  readonly #nowMs: () => number;
  readonly #onChange: (state: ConnectionState) => void;
  #state: ConnectionState;
  /** Registered or bound, whatever becomes of its streams. */
  #isUp = false;
  readonly #problems = new Problems();
  #target: string | undefined;

  constructor(nowMs: () => number, onChange: (state: ConnectionState) => void = () => undefined) {
    this.#nowMs = nowMs;
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

  /** Targets that the last stream to them found down. */
  get downTargets(): readonly string[] {
    return this.#isUp ? this.#problems.downTargets : [];
  }

  apply(event: TunnelEvent): void {
    switch (event.event) {
      case 'connecting':
        return this.connect();
      case 'online':
      case 'target-changed':
        if (event.target !== undefined) this.named(event.target);
        return this.up(event.error);
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
      case 'opened':
      case 'rejected':
      case 'refused':
      case 'closed':
      case 'request':
        this.applyPast(event);
        return this.#judge(event);
      case 'opening':
      case 'datagrams-dropped':
      case 'token-renewed':
      case 'clock-skew':
        return;
    }
  }

  /** An event of a tunnel that is only draining: its streams count, and say nothing about the state. */
  applyPast(event: TunnelEvent): void {
    if (event.event === 'accepted' || event.event === 'opened') {
      this.setUp.note(event.setupMs);
      this.#opened(event.stream, event.event === 'accepted' ? event : {});
    } else if (event.event === 'rejected' || event.event === 'refused') {
      this.totals.refused += 1;
      this.#note(event.error, event.stream);
    } else if (event.event === 'closed' || event.event === 'request') {
      if (event.event === 'closed') this.streams.delete(event.stream);
      this.totals.bytesIn += event.bytesIn;
      this.totals.bytesOut += event.bytesOut;
      const isOurs = event.event === 'closed' && event.error?.code === 'HCM_ABORTED';
      if (event.error && !isOurs) this.#note(event.error, event.stream);
    }
  }

  /** A new life begins; nothing is known of it yet. */
  connect(): void {
    this.#down({ name: 'connecting' });
  }

  /** Registered at the relay, or bound. `refusal`: nothing is forwarded to the target that Azure names. */
  up(refusal?: HcmError): void {
    this.#isUp = true;
    this.#problems.begin(refusal && reasonOf(refusal));
    this.#show();
  }

  /** A target that a stream found down answers again. */
  reached(target: string): void {
    this.#problems.passed(target);
    if (this.#isUp) this.#show();
  }

  /** Where it leads, or would lead. */
  named(target: string): void {
    if (target !== this.#target) this.#problems.forgetTargets();
    this.#target = target;
  }

  /** Not registered on purpose, because its target does not answer. */
  gate(error: HcmError): void {
    this.#note(error);
    this.#down({ name: 'target-down', reason: reasonOf(error) });
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

  /** What a stream or a request says about the way to its target. */
  #judge(event: StreamEvent): void {
    if (!this.#isUp) return;
    const problems = this.#problems;
    if (event.event === 'closed') problems.roomMade();
    else if (event.event === 'rejected') problems.rejected(reasonOf(event.error), event.target);
    else if (event.event === 'refused') problems.refused(reasonOf(event.error));
    else if (event.event === 'request' && event.error)
      problems.unanswered(reasonOf(event.error), event.target);
    else problems.passed('target' in event ? event.target : undefined);
    this.#show();
  }

  #show(): void {
    const { first: reason } = this.#problems;
    this.#set(reason ? { name: 'degraded', reason } : { name: 'online' });
  }

  #down(state: StateBody): void {
    this.#isUp = false;
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
