/**
 * Keeps what the page shows true: follows the manager's events for what changes at once, asks each second for what
 * only counts up, and begins anew by itself when the manager was gone. Owns all timers and requests of the page but
 * those of buttons.
 */
import type {
  ConnectionDetails,
  ConnectionView,
  EventView,
  ManagerView,
} from '../../../src/manager/control/operations.ts';
import { Grid } from '../model/history.ts';
import { countsOf, type Counts, type State } from '../model/states.ts';
import { ManagerClock } from '../model/manager-clock.ts';
import type { Route } from '../model/route.ts';
import { api, ApiError, followEvents } from '../net/api.ts';
import { ConnectionCell } from './connection-cell.ts';
import { LogBook } from './log-book.ts';
import { Value } from './value.ts';

/** How things stand between page and manager. */
export type Link =
  | { readonly name: 'connecting' }
  | { readonly name: 'live' }
  /** Nobody answers, since then. */
  | { readonly name: 'gone'; readonly sinceMs: number }
  /** It answers, and does not know this page any more. */
  | { readonly name: 'over' };

const POLL_MS = 1_000;
/** Nobody looks: the browser lets a hidden page do little anyway. */
const HIDDEN_POLL_MS = 5_000;
const RETRY_MS = 1_000;
/** Without a session there is nothing to be had until somebody opens a new one. */
const OVER_RETRY_MS = 5_000;
/** Events come in bursts; one answer serves them all. */
const SOON_MS = 100;
const COARSE_MS = 5_000;
/** An hour, as the manager keeps it. */
const COARSE_POINTS = 720;
/** Three minutes at one a second. */
const FINE_POINTS = 180;
const LOG_LINES = 1_000;

export class Feed {
  readonly link = new Value<Link>({ name: 'connecting' });
  readonly manager = new Value<ManagerView | undefined>(undefined);
  /** Undefined until the first answer. */
  readonly cells = new Value<ReadonlyMap<string, ConnectionCell> | undefined>(undefined);
  /** Of the chosen connection, unless the manager has none of this id. */
  readonly details = new Value<ConnectionDetails | undefined>(undefined);
  /** Counts up with each new point of the charts. */
  readonly beat = new Value(0);
  /** By the manager's clock, once a second. */
  readonly nowMs = new Value(Date.now());
  readonly counts = new Value<Counts>({ all: 0, online: 0, trouble: 0 });
  readonly log = new LogBook();
  readonly fine = new Grid(FINE_POINTS);
  coarse = new Grid(COARSE_POINTS);
  readonly #changes = new Map<string, { connection: string; state: State }>();
  #chosen: string | undefined;
  readonly #clock = new ManagerClock();
  /** Counts events: an answer that was asked for before one of them may not know of it. */
  #heard = 0;
  /** Counts how often the following began: what was asked for before and failed says nothing of now. */
  #begun = 0;
  #following: AbortController | undefined;
  #pollTimer: ReturnType<typeof setTimeout> | undefined;
  #pollDueMs = Infinity;
  #polling = false;
  /** Asked for while an answer was on its way, which may not know of it yet. */
  #pollAgain = false;
  /** Who wait for the next answer that is asked for. */
  #waiting: (() => void)[] = [];

  start(): void {
    void this.#follow();
    this.#pollIn(POLL_MS);
    setInterval(() => this.nowMs.set(this.now()), 1_000);
    document.addEventListener('visibilitychange', () => {
      if (document.hidden) return this.#following?.abort();
      this.#pollIn(0);
    });
  }

  show(route: Route): void {
    const id = route.view === 'connection' ? route.id : undefined;
    if (id === this.#chosen) return;
    this.#chosen = id;
    this.details.set(undefined);
    this.#pollIn(0);
  }

  /** By the manager's clock. */
  now(): number {
    return this.#clock.nowMs();
  }

  /** Something was done: what it changed is asked for at once. Resolves when the page knows it, or nobody answered. */
  refresh(): Promise<void> {
    const answered = new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#pollIn(0);
    return answered;
  }

  async #follow(): Promise<void> {
    for (;;) {
      // A browser opens six connections to a server at most: a page that nobody sees keeps none.
      await visible();
      const following = new AbortController();
      this.#following = following;
      try {
        for await (const event of followEvents(following.signal)) this.#hear(event);
        if (!document.hidden) this.#lost(new ApiError('gone', 'The manager has ended.'));
      } catch (error) {
        if (!document.hidden) this.#lost(error);
      } finally {
        following.abort();
      }
      const retryMs = this.link.get().name === 'over' ? OVER_RETRY_MS : RETRY_MS;
      await new Promise((resolve) => setTimeout(resolve, retryMs));
    }
  }

  #hear(event: EventView): void {
    this.#heard += 1;
    if (event.event === 'snapshot') return this.#begin(event as unknown as Snapshot);
    this.log.append(event);
    const cell = event.id === undefined ? undefined : this.cells.get()?.get(event.id);
    if (event.event === 'state' && cell) {
      const { state, reason } = event as unknown as StateEvent;
      cell.become({ state, since: event.time, reason }, this.#heard);
      this.#changes.set(cell.view.get().id, { connection: cell.view.get().connection, state });
      this.#count();
    }
    const setUpMs = event['setupMs'];
    if (cell && typeof setUpMs === 'number') cell.opened(setUpMs);
    if (!STREAM_EVENTS.has(event.event)) this.#pollIn(SOON_MS);
  }

  #begin({ manager, connections }: Snapshot): void {
    this.#begun += 1;
    this.link.set({ name: 'live' });
    this.manager.set(manager);
    this.#take(connections, { atMs: this.now(), knows: this.#heard });
    void this.#readPast().catch(() => undefined);
  }

  async #readPast(): Promise<void> {
    const newest = this.log.newest;
    const [samples, lines] = await Promise.all([
      api.samples().catch(() => undefined),
      api.logs(LOG_LINES).catch(() => undefined),
    ]);
    if (lines) this.log.replace(lines, newest);
    if (samples === undefined) return;
    this.coarse = Grid.of(samples, COARSE_POINTS);
    this.beat.set(this.beat.get() + 1);
  }

  #pollIn(delayMs: number): void {
    const dueMs = Date.now() + delayMs;
    if (this.#polling) this.#pollAgain = true;
    if (this.#polling || dueMs >= this.#pollDueMs) return;
    clearTimeout(this.#pollTimer);
    this.#pollDueMs = dueMs;
    this.#pollTimer = setTimeout(() => void this.#poll(), delayMs);
  }

  async #poll(): Promise<void> {
    this.#pollDueMs = Infinity;
    this.#polling = true;
    const [chosen, knows, begun] = [this.#chosen, this.#heard, this.#begun];
    const waiting = this.#waiting.splice(0);
    // The manager counts when it is asked; when its answer is read depends on how busy this page is.
    const askedMs = this.now();
    try {
      const [manager, { connections, atMs }] = await Promise.all([api.manager(), api.connections(chosen)]);
      if (this.#clock.hear(atMs, askedMs)) this.nowMs.set(this.now());
      // What the following began with is newer.
      if (begun !== this.#begun) return void (this.#pollAgain = true);
      // Nobody follows for a page that is hidden: this is how it learns that the manager is there again.
      if (document.hidden && this.link.get().name !== 'live') this.link.set({ name: 'live' });
      if (JSON.stringify(manager) !== JSON.stringify(this.manager.get())) this.manager.set(manager);
      this.#take(connections, { atMs: askedMs, knows });
      this.#note(askedMs);
      if (chosen === this.#chosen) this.details.set(connections.find(isDetailed));
    } catch (error) {
      if (begun === this.#begun) {
        // Whoever follows begins anew and says how things stand.
        if (this.link.get().name === 'live') this.#following?.abort();
        this.#lost(error);
      }
    } finally {
      for (const tell of waiting) tell();
      this.#polling = false;
      const again = this.#pollAgain;
      this.#pollAgain = false;
      this.#pollIn(again ? SOON_MS : this.#restMs());
    }
  }

  #restMs(): number {
    if (this.link.get().name === 'over') return OVER_RETRY_MS;
    return document.hidden ? HIDDEN_POLL_MS : POLL_MS;
  }

  #take(connections: readonly ConnectionView[], told: { atMs: number; knows: number }): void {
    const before = this.cells.get();
    const cells = new Map(
      connections.map((view) => [view.id, before?.get(view.id) ?? new ConnectionCell(view)] as const),
    );
    for (const view of connections) cells.get(view.id)?.update(view, told);
    const sameIds =
      before?.size === cells.size && [...before.keys()].every((id, at) => id === connections[at]?.id);
    if (!sameIds) this.cells.set(cells);
    this.#count();
  }

  #count(): void {
    const states = [...(this.cells.get()?.values() ?? [])].map(({ view }) => view.get().state);
    const next = countsOf(states);
    const before = this.counts.get();
    const same = next.all === before.all && next.online === before.online && next.trouble === before.trouble;
    if (!same) this.counts.set(next);
  }

  /** Changes of state since it was asked last, for those who listen to the page. */
  takeChanges(): ReadonlyMap<string, { connection: string; state: State }> {
    const changes = new Map(this.#changes);
    this.#changes.clear();
    return changes;
  }

  #note(nowMs: number): void {
    const cells = [...(this.cells.get() ?? [])];
    const pointsOf = (grid: 'fine' | 'coarse') => new Map(cells.map(([id, cell]) => [id, cell.point(grid)]));
    // An event may have asked in between: points stand a second apart at least, unless the clock was set back.
    const apartMs = (grid: Grid) => Math.abs(nowMs - (grid.times.at(-1) ?? 0));
    if (apartMs(this.fine) < POLL_MS * 0.9) return;
    this.fine.append(nowMs, pointsOf('fine'));
    if (apartMs(this.coarse) >= COARSE_MS) this.coarse.append(nowMs, pointsOf('coarse'));
    this.beat.set(this.beat.get() + 1);
  }

  #lost(error: unknown): void {
    const over = error instanceof ApiError && error.code === 'over';
    const now = this.link.get();
    if (over) {
      if (now.name !== 'over') this.link.set({ name: 'over' });
    } else if (now.name !== 'gone') this.link.set({ name: 'gone', sinceMs: Date.now() });
    for (const cell of this.cells.get()?.values() ?? []) cell.rest();
  }
}

/** These come by the thousand, and the next regular answer has what they say. */
const STREAM_EVENTS = new Set(['opening', 'opened', 'accepted', 'closed', 'rejected', 'refused', 'request']);

interface Snapshot {
  readonly manager: ManagerView;
  readonly connections: readonly ConnectionView[];
}

type StateEvent = Pick<ConnectionView, 'state' | 'reason'>;

function isDetailed(view: ConnectionView | ConnectionDetails): view is ConnectionDetails {
  return 'streams' in view;
}

function visible(): Promise<void> {
  if (!document.hidden) return Promise.resolve();
  return new Promise((resolve) => {
    const look = () => {
      if (document.hidden) return;
      document.removeEventListener('visibilitychange', look);
      resolve();
    };
    document.addEventListener('visibilitychange', look);
  });
}
