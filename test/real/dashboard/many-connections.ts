// A manager that is only played: 50 connections in all states and 1,000 streams, on the real web server, with traffic
// that moves by the clock. For what a real one cannot be brought to in a test: many things at once.
import { openWebServer, type WebServer } from '../../../src/manager/web/web-server.ts';
import type {
  ConnectionDetails,
  ConnectionView,
  EventView,
  ManagerOperations,
  StreamView,
} from '../../../src/manager/control/operations.ts';
import { HcmError } from '../../../src/protocol/errors.ts';
import { systemClock } from '../../../src/tunnel/clock.ts';

const CONNECTIONS = 50;
const STREAMS = 1_000;
const EVERY_MS = 5_000;
const PAST_SAMPLES = 720;

/** What the page asks for. */
type Asked = Answered | 'describe' | 'restart' | 'logs' | 'samples' | 'subscribe';
/** What can be answered late. */
type Answered = 'list' | 'add' | 'namedTarget' | 'remove' | 'test';

export class ManyConnections {
  readonly #startedMs = Date.now();
  readonly #watchers = new Set<(event: EventView) => void>();
  readonly #states = new Map<string, Partial<ConnectionView>>();
  readonly #removed = new Set<string>();
  #server: WebServer | undefined;
  #hold: Hold | undefined;

  async start(folder: string, port = 0): Promise<void> {
    this.#server = await openWebServer({
      ...{ port, folder, clock: systemClock },
      operations: this.#operations as ManagerOperations,
      readiness: () => ({ ready: true, reasons: [] }) as never,
      metrics: () => Promise.resolve({ type: 'text/plain', text: '' }),
    });
  }

  invite(): string {
    return this.#server?.invite().url ?? '';
  }

  async close(): Promise<void> {
    await this.#server?.close();
  }

  /** From now on one of them is so. Nobody is told. */
  change(id: string, view: Partial<ConnectionView>): void {
    this.#states.set(id, { ...this.#states.get(id), ...view });
  }

  /** As if this had happened to one of them. */
  become(id: string, state: ConnectionView['state'], reason?: ConnectionView['reason']): void {
    const time = new Date().toISOString();
    this.change(id, { state, since: time, reason });
    this.tell({ event: 'state', time, id, state, ...(reason ? { reason } : {}) });
  }

  /** As if somebody else had removed it. Nobody is told. */
  forget(id: string): void {
    this.#removed.add(id);
  }

  /** How many pages follow its events. */
  get followers(): number {
    return this.#watchers.size;
  }

  /** Until this is released, what a page asks for is answered late, and with what was true when it was asked. */
  hold(...held: Answered[]): Hold {
    this.#hold = new Hold(held, () => (this.#hold = undefined));
    return this.#hold;
  }

  /** Answers what a test still holds, and all are again as they were at first. */
  reset(): void {
    this.#hold?.release();
    this.#states.clear();
    this.#removed.clear();
  }

  tell(event: EventView): void {
    for (const watch of this.#watchers) watch(event);
  }

  readonly ids = Array.from({ length: CONNECTIONS }, (_, at) => idOf(at));

  async #answer<T>(asked: Answered, answer: T): Promise<T> {
    if (this.#hold?.holds(asked)) await this.#hold.wait();
    return answer;
  }

  #view(at: number): ConnectionView {
    const id = idOf(at);
    const bytes = this.#bytes(at, Date.now());
    return {
      id,
      role: isForward(at) ? 'forward' : 'listener',
      connection: id.split(' ')[1] ?? '',
      source: at % 7 === 0 ? 'file' : 'store',
      since: new Date(this.#startedMs - at * 317_000).toISOString(),
      ...(isForward(at) ? {} : { target: `10.20.${at}.5:${5432 + at}` }),
      binds: isForward(at) ? [`127.0.0.1:${15_000 + at}`] : [],
      openStreams: at === 0 ? STREAMS : at % 4,
      opened: 12_000 + at * 31,
      refused: at % 5,
      reconnects: at % 3,
      ...bytes,
      setUpMs: { p50: 12 + at, p99: 60 + at * 2 },
      ...firstState(at),
      ...this.#states.get(id),
    } as ConnectionView;
  }

  #details(at: number): ConnectionDetails {
    const view = this.#view(at);
    return { ...view, streams: this.#streams(at, view.openStreams), errors: errorsOf(at) };
  }

  #streams(at: number, count: number): StreamView[] {
    return Array.from({ length: count }, (_, stream) => ({
      stream: `${at.toString(16).padStart(4, '0')}${stream.toString(16).padStart(8, '0')}-5d1f_G12`,
      since: new Date(this.#startedMs - stream * 7_000).toISOString(),
      bytesIn: Math.round(((Date.now() - this.#startedMs) / 10) * ((stream % 9) + 1)) + stream * 4_711,
      bytesOut: Math.round(((Date.now() - this.#startedMs) / 20) * ((stream % 5) + 1)) + stream * 97_003,
      target: `10.20.${at}.5:${5432 + at}`,
      remote: `52.166.${stream % 250}.${(stream * 7) % 250}:${40_000 + stream}`,
    }));
  }

  #bytes(at: number, atMs: number): Pick<ConnectionView, 'bytesIn' | 'bytesOut'> {
    const seconds = atMs / 1000 - this.#startedMs / 1000 + EVERY_MS * 0.001 * PAST_SAMPLES;
    if (at % 3 === 2) return { bytesIn: 0, bytesOut: 0 };
    const wave = (speed: number) => seconds - Math.sin(seconds / speed) * speed * 0.7;
    return {
      bytesIn: Math.round(wave(40 + at) * 18_000 * ((at % 5) + 1)),
      bytesOut: Math.round(wave(23 + at) * 61_000 * ((at % 4) + 1)),
    };
  }

  readonly #operations: Pick<ManagerOperations, Asked> = {
    describe: () => ({
      apiVersion: 1,
      version: '0.1.0',
      pid: 4242,
      startedAt: new Date(this.#startedMs - 273_000_000).toISOString(),
      folder: '/var/lib/hcm',
      file: '/etc/hcm/hcm.yaml',
      problems: [],
    }),
    list: (detailsOf) => {
      const views = this.ids
        .map((id, at) => (id === detailsOf ? this.#details(at) : this.#view(at)))
        .filter(({ id }) => !this.#removed.has(id));
      // Who begins to follow is told at once.
      return detailsOf === undefined ? views : (this.#answer('list', views) as never);
    },
    add: async () => {
      await this.#answer('add', undefined);
      throw new HcmError('HCM_STATE_UNWRITABLE', 'The disk is full.');
    },
    namedTarget: () => this.#answer('namedTarget', { target: '10.9.9.9:22' }),
    remove: (id) => {
      this.forget(id);
      return this.#answer('remove', undefined);
    },
    restart: (id) => Promise.resolve(this.#view(this.ids.indexOf(id))),
    test: async () => {
      await this.#answer('test', undefined);
      throw new HcmError('HCM_UNEXPECTED', 'This one is only played.');
    },
    logs: (lines) =>
      Array.from({ length: Math.min(lines, 900) }, (_, at) => ({
        event: at % 9 === 0 ? 'rejected' : 'accepted',
        time: new Date(this.#startedMs - (900 - at) * 700).toISOString(),
        id: idOf(at % CONNECTIONS),
        stream: `s${at}`,
      })),
    samples: () => {
      const times = Array.from(
        { length: PAST_SAMPLES },
        (_, at) => Date.now() - (PAST_SAMPLES - at) * EVERY_MS,
      );
      const series = this.ids.map((id, at) => {
        const bytes = times.map((time) => this.#bytes(at, time));
        return [
          id,
          {
            bytesIn: bytes.map(({ bytesIn }) => bytesIn),
            bytesOut: bytes.map(({ bytesOut }) => bytesOut),
            openStreams: times.map(() => at % 4),
            setUpMs: times.map((_, step) => (step % 4 === 0 ? 20 + ((step * 13 + at) % 17) : null)),
          },
        ] as const;
      });
      return {
        everyMs: EVERY_MS,
        times: times.map((time) => new Date(time).toISOString()),
        connections: Object.fromEntries(series),
      };
    },
    subscribe: (onEvent) => {
      this.#watchers.add(onEvent);
      return () => void this.#watchers.delete(onEvent);
    },
  };
}

/** Answers that are not given yet. */
class Hold {
  /** Resolves with the first question. */
  readonly asked: Promise<void>;
  #tellAsked!: () => void;
  readonly #waiting: ((error?: HcmError) => void)[] = [];
  readonly #held: readonly Answered[];
  readonly #onRelease: () => void;

  /** `held` empty: all. */
  constructor(held: readonly Answered[], onRelease: () => void) {
    this.#held = held;
    this.#onRelease = onRelease;
    this.asked = new Promise((resolve) => (this.#tellAsked = resolve));
  }

  holds(asked: Answered): boolean {
    return this.#held.length === 0 || this.#held.includes(asked);
  }

  wait(): Promise<void> {
    this.#tellAsked();
    return new Promise((resolve, reject) =>
      this.#waiting.push((error) => (error ? reject(error) : resolve())),
    );
  }

  /** `error`: what was asked failed. */
  release(error?: HcmError): void {
    this.#onRelease();
    for (const answer of this.#waiting.splice(0)) answer(error);
  }
}

function isForward(at: number): boolean {
  return at % 6 === 5;
}

function idOf(at: number): string {
  return `${isForward(at) ? 'forward' : 'listen'} contoso-relay/${['db', 'web', 'ldap', 'erp', 'files', 'sql'][at % 6]}-${at}`;
}

function firstState(at: number): Partial<ConnectionView> {
  if (at === 3)
    return {
      state: 'degraded',
      target: '10.9.9.9:22',
      unconfirmedTarget: '10.9.9.9:22',
      reason: {
        code: 'HCM_TARGET_NOT_ALLOWED',
        message: 'Azure names the target 10.9.9.9:22 now; 10.20.3.5:5435 was confirmed',
        next: 'hcm restart contoso-relay/erp-3 --accept-target',
      },
    };
  if (at === 8)
    return {
      state: 'waiting',
      retryAt: new Date(Date.now() + 42_000).toISOString(),
      reason: {
        code: 'HCM_UNAUTHORIZED' as never,
        message: 'The relay does not take the key of rule defaultListener',
      },
    };
  if (at === 12)
    return {
      state: 'target-down',
      reason: { code: 'HCM_TARGET_REFUSED', message: '10.20.12.5:5444 refused' },
    };
  if (at === 17)
    return {
      state: 'failed',
      reason: { code: 'HCM_BIND_FAILED', message: 'Port 15017 is taken by another program' },
    };
  if (at === 21) return { state: 'connecting' };
  return { state: 'online' };
}

function errorsOf(at: number): ConnectionDetails['errors'] {
  const ago = (seconds: number) => new Date(Date.now() - seconds * 1000).toISOString();
  return [
    {
      code: 'HCM_TARGET_REFUSED',
      message: `10.20.${at}.5:${5432 + at} refused the connection`,
      at: ago(75),
      stream: 's1',
    },
    {
      code: 'HCM_TARGET_REFUSED',
      message: `10.20.${at}.5:${5432 + at} refused the connection`,
      at: ago(95),
      stream: 's2',
    },
    { code: 'HCM_CONNECTION_LOST', message: 'The control channel broke: ECONNRESET', at: ago(4_000) },
  ];
}
