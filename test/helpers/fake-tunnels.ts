/** Tunnels that a test opens, breaks and ends by hand, for what supervises them. */
import { remedyOf } from '../../src/lib/error-table.ts';
import { HcmError, type ErrorCode } from '../../src/protocol/errors.ts';
import type { TunnelEventBody, TunnelEventHandler } from '../../src/tunnel/events.ts';
import type { ConnectionSpec, ManagedTunnel, OpenTunnel } from '../../src/manager/tunnel.ts';

export interface FakeTunnel extends ManagedTunnel {
  readonly spec: ConnectionSpec;
  readonly stops: number[];
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
  attempts = 0;

  readonly open: OpenTunnel = (spec, { onEvent }) => {
    this.attempts += 1;
    const failure = this.failures.shift();
    return failure ? Promise.reject(failure) : Promise.resolve(this.#create(spec, onEvent));
  };

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
      },
    };
    this.opened.push(tunnel);
    return tunnel;
  }
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
