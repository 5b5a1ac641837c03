import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { Writable } from 'node:stream';
import type { Terminal } from '../../../../../src/lib/cli/manager/live-screen.ts';
import { watch, type Watched } from '../../../../../src/lib/cli/manager/run-watch.ts';
import { Output } from '../../../../../src/lib/cli/output.ts';
import type { EventView } from '../../../../../src/manager/control/operations.ts';
import { HcmError } from '../../../../../src/protocol/errors.ts';
import { FakeClock } from '../../../../helpers/fake-clock.ts';
import { until } from '../../../../helpers/until.ts';

const TIME = '2026-01-01T00:00:00.000Z';
const gone = () =>
  new HcmError('HCM_NOT_RUNNING', 'Nobody answers.', { details: { next: 'hcm service run' } });

/** A manager that a test starts, lets speak, and kills. */
class FakeManager {
  isThere = true;
  text = 'db online';
  calls = 0;
  #tell: ((event: EventView | undefined) => void) | undefined;

  async *events(signal: AbortSignal): AsyncGenerator<EventView> {
    this.calls += 1;
    if (!this.isThere) throw gone();
    const waiting: (EventView | undefined)[] = [{ event: 'snapshot', time: TIME }];
    let wake: () => void = () => undefined;
    this.#tell = (event) => {
      waiting.push(event);
      wake();
    };
    signal.addEventListener('abort', () => this.#tell?.(undefined), { once: true });
    for (;;) {
      for (const event of waiting.splice(0)) {
        if (event === undefined) return;
        yield event;
      }
      await new Promise<void>((resolve) => (wake = resolve));
    }
  }

  read = () => (this.isThere ? Promise.resolve(this.text) : Promise.reject(gone()));
  tell = (event: Partial<EventView>) => this.#tell?.({ event: 'state', time: TIME, ...event });
  die() {
    this.isThere = false;
    this.#tell?.(undefined);
  }
}

class FakeTerminal extends EventEmitter implements Terminal {
  columns = 40;
  rows = 5;
  written = '';
  write = (text: string) => void (this.written += text);

  /** What one would see: the newest picture, without what steers the terminal. */
  get picture(): string[] {
    const newest = this.written.split('\u001b[?2026h\u001b[H').at(-1) ?? '';
    return newest
      .replace(/\u001b\[\?2026l.*$/s, '')
      .replaceAll('\u001b[K', '')
      .replaceAll('\u001b[J', '')
      .split('\r\n');
  }
}

describe('watching the manager', () => {
  let manager: FakeManager;
  let clock: FakeClock;
  let signals: EventEmitter;
  let out: { answers: string; talk: string };
  let output: Output;

  beforeEach(() => {
    manager = new FakeManager();
    clock = new FakeClock(Date.parse(TIME));
    signals = new EventEmitter();
    out = { answers: '', talk: '' };
    const into = (name: keyof typeof out) =>
      new Writable({
        write: (chunk: Buffer, _encoding, done) => {
          out[name] += chunk.toString();
          done();
        },
      });
    output = new Output({ stdout: into('answers'), stderr: into('talk'), env: {} });
  });

  const watched = (): Watched<string> => ({
    title: 'hcm list',
    read: manager.read,
    lines: (value) => value.split('\n'),
    snapshot: (value) => ({ value }),
    concerns: ({ id }) => id !== 'listen other/db',
  });
  const start = (how: { json?: boolean; terminal?: Terminal }) =>
    watch(watched(), {
      ...{ client: manager, output, clock, signals, json: how.json ?? false, terminal: how.terminal },
    });
  const lines = () => out.answers.split('\n').filter(Boolean);
  const json = () => lines().map((line) => JSON.parse(line) as Record<string, unknown>);

  async function endsInPeace(running: Promise<number>): Promise<void> {
    signals.emit('SIGINT', 'SIGINT');
    assert.equal(await running, 0);
    assert.equal(clock.timers, 0, 'no timer is left');
  }

  it('prints a snapshot and then the events that it is about, for programs', async () => {
    const running = start({ json: true });
    await until(() => lines().length === 1);
    manager.tell({ id: 'listen other/db' });
    manager.tell({ id: 'listen my/db', state: 'waiting' });
    await until(() => lines().length === 2);
    assert.deepEqual(json(), [
      { event: 'snapshot', time: TIME, value: 'db online' },
      { event: 'state', time: TIME, id: 'listen my/db', state: 'waiting' },
    ]);
    await endsInPeace(running);
  });

  it('says once that it waits, and begins anew when the manager is back', async () => {
    const running = start({ json: true });
    await until(() => lines().length === 1);
    manager.die();
    await until(() => lines().length === 2);
    for (let attempt = 0; attempt < 3; attempt += 1) await clock.advanceAsync(1_000);
    assert.ok(manager.calls > 2);
    manager.isThere = true;
    manager.text = 'db back';
    await clock.advanceAsync(1_000);
    await until(() => lines().length === 3);
    assert.deepEqual(
      json().map(({ event, value }) => [event, value]),
      [
        ['snapshot', 'db online'],
        ['waiting', undefined],
        ['snapshot', 'db back'],
      ],
    );
    assert.deepEqual((json()[1] as { error: object }).error, {
      code: 'HCM_NOT_RUNNING',
      message: 'The manager has ended.',
      next: 'hcm service run',
    });
    await endsInPeace(running);
  });

  it('is drawn in its place, cut to the terminal, and gives the terminal back', async () => {
    const terminal = new FakeTerminal();
    manager.text = ['x'.repeat(60), 'two', 'three', 'four', 'five'].join('\n');
    const running = start({ terminal });
    assert.equal(lines().length, 0);
    await until(() => terminal.picture.length === 5);
    assert.match(terminal.picture[0] ?? '', /^hcm list {2}\d\d:\d\d:\d\d {2}Ctrl-C ends$/);
    assert.deepEqual(terminal.picture.slice(2), [`${'x'.repeat(39)}…`, 'two', '… 3 more']);
    terminal.columns = 10;
    terminal.rows = 20;
    terminal.emit('resize');
    assert.equal(terminal.picture[2], `${'x'.repeat(9)}…`);
    assert.equal(terminal.picture.at(-1), 'five');
    await endsInPeace(running);
    assert.ok(terminal.written.startsWith('\u001b[?1049h\u001b[?25l'));
    assert.ok(terminal.written.endsWith('\u001b[?25h\u001b[?1049l'));
  });

  it('is not written again while nothing changes', async () => {
    const terminal = new FakeTerminal();
    const running = start({ terminal });
    await until(() => terminal.picture.includes('db online'));
    const before = terminal.written.length;
    manager.tell({});
    manager.tell({});
    await clock.advanceAsync(0);
    assert.equal(terminal.written.length, before);
    manager.text = 'db waiting';
    manager.tell({});
    await until(() => terminal.picture.includes('db waiting'));
    await endsInPeace(running);
  });

  it('shows the newest that it knows while it waits for the manager', async () => {
    const terminal = new FakeTerminal();
    terminal.columns = 80;
    const running = start({ terminal });
    await until(() => terminal.picture.includes('db online'));
    manager.die();
    await until(() => /Waiting for it/.test(terminal.picture[0] ?? ''));
    assert.ok(terminal.picture.includes('db online'));
    manager.isThere = true;
    manager.text = 'db back';
    await clock.advanceAsync(1_000);
    await until(() => terminal.picture.includes('db back'));
    assert.match(terminal.picture[0] ?? '', /Ctrl-C ends$/);
    await endsInPeace(running);
  });

  it('prints the whole at each change where nothing can be drawn', async () => {
    const running = start({});
    await until(() => lines().length === 2);
    manager.tell({ event: 'opened' });
    manager.text = 'db waiting';
    manager.tell({});
    await until(() => lines().length === 4);
    assert.deepEqual(lines(), [TIME, 'db online', TIME, 'db waiting']);
    manager.die();
    await until(() => out.talk.includes('Waiting for it.'));
    await endsInPeace(running);
  });

  it('does not begin where there is no manager', async () => {
    manager.isThere = false;
    await assert.rejects(start({ json: true }), { code: 'HCM_NOT_RUNNING' });
    assert.deepEqual(lines(), []);
  });
});
