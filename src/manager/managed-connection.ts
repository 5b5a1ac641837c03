/**
 * One connection under supervision: opens its tunnel, opens it again when it cannot be had or has ended, and holds it
 * back while its target is down. Nothing that happens to it reaches another connection. The tunnel itself owns the
 * reconnection to the relay.
 */
import { HcmError } from '../protocol/errors.ts';
import { sleep, type Clock } from '../tunnel/clock.ts';
import { asHcmError } from '../tunnel/emitter.ts';
import type { TunnelEvent } from '../tunnel/events.ts';
import { ReconnectPolicy } from '../tunnel/reconnect-policy.ts';
import type { LiveStream } from '../tunnel/stream-set.ts';
import { ConnectionRecord, type ConnectionState } from './connection-record.ts';
import { NamedTarget } from './named-target.ts';
import { isTargetDown } from './problems.ts';
import { TargetGate } from './target-gate.ts';
import { TargetRecovery } from './target-recovery.ts';
import type { ConnectionSpec, ManagedTunnel, OpenTunnel, TargetQuestions } from './tunnel.ts';

/** Streams of a connection that is opened anew, and how long they may take. */
const RESTART_GRACE_MS = 10_000;
/** Streams of a tunnel that is held back, or has another key, may go on this long: nothing is wrong with them. */
const UNHURRIED_GRACE_MS = 3_600_000;

export interface ManagedConnectionOptions {
  clock: Clock;
  random: () => number;
  open: OpenTunnel;
  /** Absent: no target is asked for anything. */
  targets?: TargetQuestions | undefined;
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
  readonly #named: NamedTarget;
  readonly #gate: TargetGate;
  readonly #recovery: TargetRecovery | undefined;
  #tunnel: ManagedTunnel | undefined;
  /** Ends the present life of the tunnel, or the pause before the next; the loop looks at what is wanted then. */
  #interrupt = new AbortController();
  /** Tunnels whose streams may still go on. */
  readonly #draining = new Map<ManagedTunnel, Promise<void>>();
  #running: Promise<void> = Promise.resolve();
  /** How long streams may go on when the tunnel is closed the next time. */
  #graceMs = RESTART_GRACE_MS;
  /** Tells the events of the present tunnel from those of one that is draining. */
  #life = 0;

  constructor(spec: ConnectionSpec, options: ManagedConnectionOptions) {
    this.spec = spec;
    this.#options = options;
    const { clock, random } = options;
    this.#policy = new ReconnectPolicy(random);
    this.#named = new NamedTarget(spec);
    this.record = new ConnectionRecord(() => clock.nowMs(), options.onState);
    this.#gate = this.#createGate();
    this.#recovery = this.#createRecovery();
  }

  /** The tunnel that runs now; undefined while there is none. */
  get tunnel(): ManagedTunnel | undefined {
    return this.#tunnel;
  }

  /** Streams that are open, those of tunnels that are only draining, too. */
  get streams(): readonly LiveStream[] {
    const tunnels = [...(this.#tunnel ? [this.#tunnel] : []), ...this.#draining.keys()];
    return tunnels.flatMap((tunnel) => tunnel.streams());
  }

  /** The target that Azure names now, where another one was confirmed; an allow-list leaves nothing to confirm. */
  get unconfirmedTarget(): string | undefined {
    const { state, target } = this.record;
    const isRefused = 'reason' in state && state.reason.code === 'HCM_TARGET_NOT_ALLOWED';
    return isRefused && this.#named.confirmed !== undefined ? target : undefined;
  }

  /** How often its target is asked whether it is there while all is well; undefined when it is not. */
  get checkEveryMs(): number | undefined {
    return this.#gate.everyMs;
  }

  /** When it is asked again, in wall-clock time. */
  get nextCheckAtMs(): number | undefined {
    return this.#gate.nextAtMs;
  }

  /** Once. Begins when `after` has resolved: a local port cannot be bound before another has let it go. */
  start(after: Promise<unknown> = Promise.resolve()): void {
    this.#running = after.then(() => this.#run());
  }

  /** Opens the tunnel anew, at once; its streams may finish within 10 s. What Azure names is asked for again. */
  restart(): void {
    this.#named.forget();
    this.#reopen(RESTART_GRACE_MS);
    this.#gate.checkNow();
  }

  /**
   * The key was changed: the tunnel takes the new one, and no stream notices. Rejects with HcmError when there is none to be
   * had; a tunnel that runs goes on with the old one then.
   */
  async renewKey(): Promise<void> {
    const tunnel = this.#tunnel;
    // Held back: the next tunnel asks for the key anyway.
    if (!tunnel && this.#gate.down) return;
    const isTaken = (await tunnel?.renewKey?.()) ?? false;
    if (!isTaken && tunnel === this.#tunnel) this.#reopen(UNHURRIED_GRACE_MS);
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
    this.#stopping.abort();
    this.#interrupt.abort();
    this.#gate.stop();
    this.#recovery?.stop();
    for (const tunnel of this.#draining.keys()) void tunnel.stop({ graceMs });
    this.record.stop();
    await this.#running;
    await Promise.all(this.#draining.values());
  }

  #reopen(graceMs: number): void {
    if (this.#stopping.signal.aborted) return;
    // Nobody can connect to a local port while its old streams finish.
    this.#graceMs = this.spec.role === 'forward' ? RESTART_GRACE_MS : graceMs;
    this.#interrupt.abort();
  }

  get #isStopping(): boolean {
    return this.#stopping.signal.aborted;
  }

  async #run(): Promise<void> {
    if (!this.#isStopping) await this.#gate.first();
    while (!this.#isStopping) {
      this.#interrupt = new AbortController();
      if (this.#gate.down) {
        this.record.gate(this.#gate.down);
        await aborted(this.#interrupt.signal);
        continue;
      }
      const failure = await this.#live(this.#interrupt.signal);
      if (failure) await this.#wait(failure);
    }
  }

  /** One life of the tunnel. Without an error it was ended on purpose. */
  async #live(signal: AbortSignal): Promise<{ error: HcmError; livedMs: number } | undefined> {
    const { clock } = this.#options;
    this.record.connect();
    const life = (this.#life += 1);
    let tunnel: ManagedTunnel;
    try {
      tunnel = await this.#open(life, signal);
    } catch (error) {
      this.#life += 1;
      return signal.aborted ? undefined : { error: asHcmError(error), livedMs: 0 };
    }
    const startedMs = clock.monotonicMs();
    this.#tunnel = tunnel;
    if (tunnel.binds.length > 0 && !signal.aborted) this.record.up();
    const ended = tunnel.ended.then((error) => error ?? endedByItself(this.spec));
    const error = await Promise.race([aborted(signal).then(() => undefined), ended]);
    this.#tunnel = undefined;
    this.#life += 1;
    this.#recovery?.stop();
    const isForward = tunnel.binds.length > 0;
    const isGated = this.#gate.down !== undefined;
    if ((isForward || !error) && !isGated && !this.#isStopping) this.record.connect();
    this.#drain(tunnel);
    // A local port cannot be bound a second time before it is let go.
    if (isForward) await this.#draining.get(tunnel);
    return error && { error, livedMs: clock.monotonicMs() - startedMs };
  }

  #open(life: number, signal: AbortSignal): Promise<ManagedTunnel> {
    return this.#options.open(this.spec, {
      onEvent: (event) => this.#onEvent(life, event),
      signal,
      confirmed: this.#named.confirmed,
    });
  }

  #drain(tunnel: ManagedTunnel): void {
    const isGated = this.#gate.down !== undefined && !this.#isStopping;
    const graceMs = isGated ? UNHURRIED_GRACE_MS : this.#graceMs;
    if (!this.#isStopping) this.#graceMs = RESTART_GRACE_MS;
    const draining = tunnel
      .stop({ graceMs })
      .catch(() => undefined)
      .finally(() => this.#draining.delete(tunnel));
    this.#draining.set(tunnel, draining);
  }

  async #wait({ error, livedMs }: { error: HcmError; livedMs: number }): Promise<void> {
    const { clock } = this.#options;
    const { signal } = this.#interrupt;
    if (signal.aborted) return;
    const delayMs = this.#policy.next(error.code, livedMs);
    this.record.fail(error, clock.nowMs() + delayMs);
    await sleep(clock, delayMs, signal).catch(() => undefined);
  }

  /** A tunnel that is only draining says nothing about the state any more. */
  #onEvent(life: number, event: TunnelEvent): void {
    const { record } = this;
    if (life !== this.#life || this.#isStopping) record.applyPast(event);
    else {
      record.apply(event);
      this.#learn(event);
      this.#recovery?.follow(record.downTargets);
    }
    this.#options.onEvent(event);
  }

  #learn(event: TunnelEvent): void {
    if (event.event === 'online' || event.event === 'target-changed') {
      const isNew = event.target !== undefined && this.#named.told(event.target, event.error !== undefined);
      if (isNew) this.#gate.checkNow();
    } else if ('error' in event && event.error && isTargetDown(event.error.code)) this.#gate.checkNow();
  }

  #createGate(): TargetGate {
    const { clock, random, targets } = this.#options;
    return new TargetGate(this.spec, {
      ...{ clock, random, targets, named: this.#named },
      hasTunnel: () => this.#tunnel !== undefined,
      onNamed: (target) => this.record.named(target),
      onChange: (turned) => {
        if (turned) this.#interrupt.abort();
        else if (this.#gate.down) this.record.gate(this.#gate.down);
      },
    });
  }

  #createRecovery(): TargetRecovery | undefined {
    const { clock, targets } = this.#options;
    if (!targets || this.spec.role === 'forward') return undefined;
    return new TargetRecovery({
      clock,
      reach: (target, signal) =>
        targets.reach(this.spec, target, { confirmed: this.#named.confirmed, signal }),
      onBack: (target) => {
        this.record.reached(target);
        this.#recovery?.follow(this.record.downTargets);
      },
    });
  }
}

function endedByItself({ connection }: ConnectionSpec): HcmError {
  return new HcmError('HCM_CONNECTION_LOST', `The tunnel of ${connection} ended by itself`, {
    retryable: true,
  });
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
