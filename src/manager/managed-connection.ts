/**
 * One connection under supervision: opens its tunnel, opens it again when it cannot be had or has ended, and holds it
 * back while its target is down. Nothing that happens to it reaches another connection. The tunnel itself owns the
 * reconnection to the relay.
 */
import type { HcmError } from '../protocol/errors.ts';
import { formatTarget } from '../protocol/target.ts';
import { sleep, type Clock } from '../tunnel/clock.ts';
import { asHcmError } from '../tunnel/emitter.ts';
import type { TunnelEvent } from '../tunnel/events.ts';
import { ReconnectPolicy } from '../tunnel/reconnect-policy.ts';
import { ConnectionRecord, type ConnectionState } from './connection-record.ts';
import { TargetHealth } from './target-health.ts';
import type { ConnectionSpec, ManagedTunnel, OpenTunnel } from './tunnel.ts';

/** Streams of a connection that is opened anew, and how long they may take. */
const RESTART_GRACE_MS = 10_000;
/** Streams of a tunnel that is held back because of its target may go on this long: they may still be served. */
const GATED_DRAIN_MS = 3_600_000;

export interface ManagedConnectionOptions {
  clock: Clock;
  random: () => number;
  open: OpenTunnel;
  /** Every event of the tunnel, after the record has seen it. */
  onEvent: (event: TunnelEvent) => void;
  onState: (state: ConnectionState) => void;
}

export class ManagedConnection {
  readonly spec: ConnectionSpec;
  readonly record: ConnectionRecord;
  readonly #options: ManagedConnectionOptions;
  readonly #stopping = new AbortController();
  readonly #policy: ReconnectPolicy;
  #tunnel: ManagedTunnel | undefined;
  #health: TargetHealth | undefined;
  #targetDown: HcmError | undefined;
  /** Ends the present life of the tunnel; the loop looks at what is wanted then. */
  #interrupt = new AbortController();
  /** Tunnels whose streams may still go on. */
  readonly #draining = new Map<ManagedTunnel, Promise<void>>();
  #running: Promise<void> = Promise.resolve();
  /** How long streams may go on when the tunnel is closed. */
  #graceMs = RESTART_GRACE_MS;
  /** Tells the events of the present tunnel from those of one that is draining. */
  #life = 0;

  constructor(spec: ConnectionSpec, options: ManagedConnectionOptions) {
    this.spec = spec;
    this.#options = options;
    this.#policy = new ReconnectPolicy(options.random);
    const pinned = spec.pinned && formatTarget(spec.pinned);
    this.record = new ConnectionRecord(() => options.clock.nowMs(), options.onState, pinned);
  }

  /** The tunnel that runs now; undefined while there is none. */
  get tunnel(): ManagedTunnel | undefined {
    return this.#tunnel;
  }

  start(): void {
    this.#running = this.#run();
  }

  /** Opens the tunnel anew, at once; its streams may finish within `graceMs`. */
  restart(): void {
    this.#interrupt.abort();
  }

  /** Tries at once, where it waits for its next attempt. */
  hurry(): void {
    if (this.record.state.name !== 'waiting') return;
    if (this.#tunnel) this.#tunnel.hurry?.();
    else this.#interrupt.abort();
  }

  /** Resolves when nothing of it is left. May be called again with a shorter grace. */
  async stop(graceMs: number): Promise<void> {
    this.#graceMs = graceMs;
    for (const tunnel of this.#draining.keys()) void tunnel.stop({ graceMs });
    this.#stopping.abort();
    this.#interrupt.abort();
    this.#health?.stop();
    await this.#running;
    await Promise.all(this.#draining.values());
    this.record.stop();
  }

  async #run(): Promise<void> {
    await this.#startHealth();
    while (!this.#stopping.signal.aborted) {
      this.#interrupt = new AbortController();
      if (this.#targetDown) {
        this.record.gate(this.#targetDown);
        await aborted(this.#interrupt.signal);
        continue;
      }
      const { error, livedMs } = await this.#live();
      if (error) await this.#wait(error, livedMs);
    }
  }

  /** One life of the tunnel. Without an error it was ended on purpose. */
  async #live(): Promise<{ error?: HcmError; livedMs: number }> {
    const { clock, open } = this.#options;
    const startedMs = clock.monotonicMs();
    const { signal } = this.#interrupt;
    const life = (this.#life += 1);
    try {
      const tunnel = await open(this.spec, { onEvent: (event) => this.#onEvent(life, event), signal });
      this.#tunnel = tunnel;
      if (tunnel.binds.length > 0) this.record.up();
      const error = await Promise.race([tunnel.ended, aborted(signal).then(() => undefined)]);
      this.#tunnel = undefined;
      this.#life += 1;
      this.#drain(tunnel, this.#targetDown ? GATED_DRAIN_MS : this.#graceMs);
      // A local port cannot be bound a second time before it is let go.
      if (tunnel.binds.length > 0) await this.#draining.get(tunnel);
      return { ...(error ? { error } : {}), livedMs: clock.monotonicMs() - startedMs };
    } catch (error) {
      if (signal.aborted) return { livedMs: 0 };
      return { error: asHcmError(error), livedMs: 0 };
    }
  }

  #drain(tunnel: ManagedTunnel, graceMs: number): void {
    const draining = tunnel
      .stop({ graceMs })
      .catch(() => undefined)
      .finally(() => this.#draining.delete(tunnel));
    this.#draining.set(tunnel, draining);
  }

  async #wait(error: HcmError, livedMs: number): Promise<void> {
    const { clock } = this.#options;
    const delayMs = this.#policy.next(error.code, livedMs);
    this.record.fail(error, clock.nowMs() + delayMs);
    this.#interrupt = new AbortController();
    if (this.#stopping.signal.aborted) return;
    await sleep(clock, delayMs, this.#interrupt.signal).catch(() => undefined);
  }

  /** A tunnel that is only draining says nothing about the state any more. */
  #onEvent(life: number, event: TunnelEvent): void {
    if (life === this.#life || event.event === 'closed') this.record.apply(event);
    this.#options.onEvent(event);
  }

  /** Resolves when the target was asked for the first time; at once when it is not to be asked. */
  #startHealth(): Promise<void> {
    const { probe, intervalMs } = this.spec.health ?? {};
    if (probe === undefined) return Promise.resolve();
    return new Promise((resolve) => {
      this.#stopping.signal.addEventListener('abort', () => resolve(), { once: true });
      this.#health = new TargetHealth({
        clock: this.#options.clock,
        probe,
        intervalMs,
        onChange: (down) => {
          this.#targetDown = down;
          this.#interrupt.abort();
          resolve();
        },
      });
      this.#health.start();
    });
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
