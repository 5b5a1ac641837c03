/** Tunnels that a test opens, breaks and ends by hand, for what supervises them. */
import { remedyOf } from '../../src/lib/error-table.ts';
import { HcmError, type ErrorCode } from '../../src/protocol/errors.ts';
import type { TunnelEventBody, TunnelEventHandler } from '../../src/tunnel/events.ts';
import type { ConnectionSpec, ManagedTunnel, OpenTunnel, TargetQuestions } from '../../src/manager/tunnel.ts';

export interface FakeTunnel extends ManagedTunnel {
  readonly spec: ConnectionSpec;
  readonly stops: number[];
  /** A stop has resolved: nothing of it is left. */
  isGone: boolean;
  /** How often it was called to try at once. */
  hurried: number;
  emit(body: TunnelEventBody): void;
  /** Ends it, though nobody stopped it. */
  end(error?: HcmError): void;
  /** Lets a stop that waits for its streams resolve. */
  drained(): void;
}

export class FakeTunnels {
  /** Every tunnel that was opened, in order. */
  readonly opened: FakeTunnel[] = [];
  /** What the next attempts to open are answered with, in turn; then they succeed. */
  readonly failures: HcmError[] = [];
  /** True: a stop resolves only after `drained`. */
  holdsStreams = false;
  /** True: an attempt hangs until `letOpen`, or until it is aborted. */
  holdsOpening = false;
  #letOpen: (() => void)[] = [];
  attempts = 0;
  /** The confirmed target that each attempt was given. */
  readonly confirmed: (string | undefined)[] = [];

  readonly open: OpenTunnel = async (spec, { onEvent, confirmed, signal }) => {
    this.attempts += 1;
    this.confirmed.push(confirmed);
    if (this.holdsOpening) await this.#opening(signal);
    const failure = this.failures.shift();
    if (failure) throw failure;
    return this.#create(spec, onEvent);
  };

  letOpen(): void {
    for (const go of this.#letOpen.splice(0)) go();
  }

  #opening(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#letOpen.push(resolve);
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
    });
  }

  get last(): FakeTunnel {
    const tunnel = this.opened.at(-1);
    if (!tunnel) throw new Error('no tunnel was opened');
    return tunnel;
  }

  of(id: string): FakeTunnel[] {
    return this.opened.filter(({ spec }) => spec.id === id);
  }

  #create(spec: ConnectionSpec, onEvent: TunnelEventHandler): FakeTunnel {
    let end: (error?: HcmError) => void = () => undefined;
    let drained: () => void = () => undefined;
    const gone = new Promise<void>((resolve) => (drained = resolve));
    const stops: number[] = [];
    const tunnel: FakeTunnel = {
      spec,
      stops,
      isGone: false,
      hurried: 0,
      hurry: () => void (tunnel.hurried += 1),
      binds: spec.role === 'forward' ? ['127.0.0.1:1433'] : [],
      ended: new Promise((resolve) => (end = resolve)),
      streams: () => [],
      emit: (body) => onEvent({ time: '', connection: spec.connection, ...body }),
      end: (error) => end(error),
      drained: () => drained(),
      stop: async ({ graceMs }) => {
        stops.push(graceMs);
        if (graceMs === 0) drained();
        if (this.holdsStreams) await gone;
        tunnel.isGone = true;
      },
    };
    this.opened.push(tunnel);
    return tunnel;
  }
}

/** Targets that are there, or not, as a test says. */
export class FakeTargets implements TargetQuestions {
  /** Why the targets do not answer; undefined: they do. */
  down: HcmError | undefined;
  /** What Azure names; undefined: it cannot be read. */
  named: string | undefined;
  /** What was asked, in order: `probe db:5432`, `reach db:5432`, `read`. */
  readonly asked: string[] = [];

  probe(_spec: ConnectionSpec, { named }: { named: string | undefined }): Promise<void> {
    return this.#answer(`probe ${named ?? 'its own'}`);
  }

  reach(_spec: ConnectionSpec, target: string): Promise<void> {
    return this.#answer(`reach ${target}`);
  }

  read(): Promise<string | undefined> {
    this.asked.push('read');
    return this.named === undefined ? Promise.reject(failure()) : Promise.resolve(this.named);
  }

  #answer(question: string): Promise<void> {
    this.asked.push(question);
    return this.down ? Promise.reject(this.down) : Promise.resolve();
  }
}

/** A listener with a health check; `target` undefined: the one that Azure names. */
export function checkedSpec(id: string, target?: string, more: Partial<ConnectionSpec> = {}): ConnectionSpec {
  const spec = specOf(id, more);
  if (spec.declared.kind !== 'listener') throw new Error('no listener');
  const targets = { dialect: 'raw' as const, ...(target === undefined ? {} : { target: tcp(target) }) };
  const listener = { ...spec.declared.listener, targets, healthCheck: { kind: 'tcp' as const } };
  return { ...spec, declared: { kind: 'listener', listener } };
}

function tcp(target: string): { kind: 'tcp'; host: string; port: number } {
  const [host = '', port] = target.split(':');
  return { kind: 'tcp', host, port: Number(port) };
}

export function specOf(id: string, more: Partial<ConnectionSpec> = {}): ConnectionSpec {
  const [role, connection = 'my-relay/db'] = id.split(' ');
  return {
    id,
    role: role === 'forward' ? 'forward' : 'listener',
    connection,
    source: 'file',
    declared: {
      kind: 'listener',
      listener: {
        connection,
        access: { kind: 'azure' },
        targets: { dialect: 'raw' },
        keepPath: false,
        at: { line: 1, column: 1 },
      },
    },
    fingerprint: 'one',
    ...more,
  };
}

/** An error as the manager shows it, with what its code alone says to do. */
export function reasonOf(code: ErrorCode, message: string) {
  return { code, message, next: remedyOf({ code }) };
}

export function failure(code: ErrorCode = 'HCM_CONNECTION_LOST', text = 'it was lost'): HcmError {
  return new HcmError(code, text, { retryable: true });
}
