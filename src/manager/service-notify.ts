/**
 * Tells a supervisor (systemd, sd_notify(3)) how the manager is: ready, reloading, stopping, alive, and a line for its
 * status. The signs of life come from the event loop, so a loop that is stuck gives none. How a message is sent comes in
 * from outside: it may cost a process, so status lines are rare.
 */
import type { Clock } from '../tunnel/clock.ts';

/** Between two status lines that nothing but a change asks for. */
const STATUS_PAUSE_MS = 10_000;
/** systemd asks for a sign of life at half of its limit (sd_watchdog_enabled(3)). */
const WATCHDOG_SHARE = 2;
const US_PER_MS = 1_000;

export interface ServiceNotifyOptions {
  /** Hands over one message, `NAME=VALUE` each. May reject: that is told, and nothing else comes of it. */
  send: (assignments: readonly string[]) => Promise<void>;
  onError: (error: Error) => void;
  clock: Clock;
  /** How long the supervisor waits for a sign of life; undefined: it does not. */
  watchdogMs?: number | undefined;
  /** One line about how it is now. */
  status: () => string;
}

export class ServiceNotify {
  readonly #options: ServiceNotifyOptions;
  /** One message at a time, in order. */
  #last: Promise<void> = Promise.resolve();
  #told = '';
  #toldMs = Number.NEGATIVE_INFINITY;
  #cancelStatus: (() => void) | undefined;
  #cancelWatchdog: (() => void) | undefined;
  #ended = false;

  constructor(options: ServiceNotifyOptions) {
    this.#options = options;
  }

  /** The socket is open and what is wanted was started. From now on there are signs of life. Resolves when it is told. */
  ready(): Promise<void> {
    this.#watch();
    return this.#send(['READY=1', ...this.#status()]);
  }

  /** Something that the status line says may have changed. */
  changed(): void {
    const { clock } = this.#options;
    if (this.#ended || this.#cancelStatus !== undefined) return;
    const waitMs = Math.max(this.#toldMs + STATUS_PAUSE_MS - clock.monotonicMs(), 0);
    this.#cancelStatus = clock.setTimer(waitMs, () => {
      this.#cancelStatus = undefined;
      if (this.#options.status() !== this.#told) void this.#send(this.#status());
    });
  }

  /** Tells that `reload` runs, and then that it is over, however it ends. */
  async reloading(reload: () => Promise<unknown>): Promise<void> {
    const nowUs = Math.round(this.#options.clock.monotonicMs() * US_PER_MS);
    await this.#send(['RELOADING=1', `MONOTONIC_USEC=${nowUs}`]);
    await reload().catch(() => undefined);
    await this.#send(['READY=1', ...this.#status()]);
  }

  /** It drains. Signs of life go on: a loop may also get stuck now. */
  stopping(): Promise<void> {
    return this.#send(['STOPPING=1', ...this.#status()]);
  }

  /** No message after this; resolves when the last one is out. */
  end(): Promise<void> {
    this.#ended = true;
    this.#cancelStatus?.();
    this.#cancelWatchdog?.();
    return this.#last;
  }

  #watch(): void {
    const { clock, watchdogMs } = this.#options;
    if (watchdogMs === undefined || this.#ended) return;
    this.#cancelWatchdog?.();
    this.#cancelWatchdog = clock.setTimer(watchdogMs / WATCHDOG_SHARE, () => {
      this.#watch();
      void this.#send(['WATCHDOG=1', ...this.#status()]);
    });
  }

  #status(): string[] {
    this.#told = this.#options.status();
    this.#toldMs = this.#options.clock.monotonicMs();
    return [`STATUS=${this.#told}`];
  }

  #send(assignments: readonly string[]): Promise<void> {
    if (this.#ended) return this.#last;
    const { send, onError } = this.#options;
    this.#last = this.#last.then(() => send(assignments)).catch((error: unknown) => onError(error as Error));
    return this.#last;
  }
}
