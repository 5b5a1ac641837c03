import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { levelOf, logFilter, type LogFilterOptions } from '../../../../../src/lib/cli/manager/log-filter.ts';
import { readLogFile } from '../../../../../src/lib/cli/manager/log-file.ts';
import { printLogs } from '../../../../../src/lib/cli/manager/run-logs.ts';
import { Output } from '../../../../../src/lib/cli/output.ts';
import type { EventView } from '../../../../../src/manager/control/operations.ts';
import { HcmError } from '../../../../../src/protocol/errors.ts';
import { FakeClock } from '../../../../helpers/fake-clock.ts';
import { until } from '../../../../helpers/until.ts';

const NOW = Date.parse('2026-01-01T01:00:00.000Z');
const event = (second: number, name: string, more: object = {}): EventView => ({
  event: name,
  time: new Date(NOW + second * 1_000).toISOString(),
  id: 'listen my-relay/db',
  ...more,
});
const all = () => true;

describe('lines of the log', () => {
  it('are as bad as what they tell', () => {
    const levels = [
      event(0, 'problem'),
      event(0, 'state', { state: 'failed' }),
      event(0, 'state', { state: 'degraded' }),
      event(0, 'closed', { error: { code: 'HCM_CONNECTION_LOST' } }),
      event(0, 'tested', { passed: false }),
      event(0, 'state', { state: 'online' }),
      event(0, 'accepted'),
      event(0, 'opening'),
    ].map(levelOf);
    assert.deepEqual(levels, ['error', 'error', 'warning', 'warning', 'warning', 'info', 'info', 'debug']);
  });

  const found = [
    event(-7_200, 'started', { id: undefined }),
    event(-60, 'accepted', { stream: 's1-a' }),
    event(-50, 'rejected', { stream: 's2' }),
    event(-40, 'state', { state: 'degraded', id: 'forward my-relay/db' }),
    event(-30, 'problem', { id: undefined }),
    event(-20, 'opening', { id: 'listen other/db' }),
  ];
  const cases: [name: string, options: LogFilterOptions, wanted: string[]][] = [
    ['all of them', {}, ['started', 'accepted', 'rejected', 'state', 'problem', 'opening']],
    ['those of a connection', { pattern: 'my-relay/db' }, ['accepted', 'rejected', 'state']],
    ['those of a namespace, by role', { pattern: 'my-relay', role: 'listener' }, ['accepted', 'rejected']],
    ['warnings and worse', { level: 'warning' }, ['rejected', 'state', 'problem']],
    ['errors', { level: 'error' }, ['problem']],
    ['those of a kind', { events: ['rejected', 'opening'] }, ['rejected', 'opening']],
    ['those since a while ago', { since: '45s' }, ['state', 'problem', 'opening']],
    ['those since a time', { since: '2026-01-01T00:59:35Z' }, ['opening']],
    ['those of a stream, by the beginning of its id', { stream: 's1' }, ['accepted']],
  ];
  for (const [name, options, wanted] of cases)
    it(`are chosen: ${name}`, () => {
      const filter = logFilter({ ...options }, NOW);
      assert.deepEqual(
        found.filter(filter).map((one) => one.event),
        wanted,
      );
    });

  it('are not chosen by a time that is none', () => {
    assert.throws(() => logFilter({ since: 'yesterday' }, NOW), { code: 'HCM_USAGE' });
  });
});

describe('the log, printed', () => {
  let folder: string;
  let out: { answers: string; talk: string };
  let output: Output;
  let clock: FakeClock;
  let signals: EventEmitter;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hcm-logs-'));
    clock = new FakeClock(NOW);
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
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const save = (name: string, events: readonly EventView[], end = '') =>
    writeFile(join(folder, name), events.map((one) => `${JSON.stringify(one)}\n`).join('') + end);
  const printed = () =>
    out.answers
      .split('\n')
      .filter(Boolean)
      .map((line) => (JSON.parse(line) as EventView).event);

  const nobody = {
    logs: () => Promise.reject(new HcmError('HCM_NOT_RUNNING', 'Nobody answers.')),
    events: () => {
      throw new HcmError('HCM_NOT_RUNNING', 'Nobody answers.');
    },
  };
  const run = (
    client: Parameters<typeof printLogs>[0]['client'],
    more: { lines?: number; follow?: boolean } = {},
  ) =>
    printLogs({
      ...{ client, output, json: true, lines: 10, follow: false, filter: all, folder, clock, signals },
      ...more,
    });

  it('is read from the disk, rotated files too, when nobody runs; half a line is none', async () => {
    await save('manager.log.10', [event(0, 'one'), event(1, 'two')]);
    await save('manager.log.2', [event(2, 'three')]);
    await save('manager.log', [event(3, 'four')], '{"event":"fi');
    for (const name of ['other.log', 'manager.log.old']) await save(name, [event(9, 'other')]);
    const lines = await readLogFile(folder, { lines: 3, filter: all });
    assert.deepEqual(
      lines?.map((one) => one.event),
      ['two', 'three', 'four'],
    );
    assert.equal(await run(nobody, { lines: 2 }), 0);
    assert.deepEqual(printed(), ['three', 'four']);
    assert.match(out.talk, /No manager runs; this is the log in /);
  });

  it('is nowhere to be had without a manager and without a file', async () => {
    await assert.rejects(run(nobody), { code: 'HCM_NOT_RUNNING' });
  });

  it('has of those that are wanted the newest', async () => {
    const client = {
      ...nobody,
      logs: () => Promise.resolve([event(0, 'one'), event(1, 'two'), event(2, 'one')]),
    };
    const filter = (one: EventView) => one.event === 'one';
    await printLogs({ client, output, json: true, lines: 1, follow: false, filter, folder });
    assert.deepEqual(printed(), ['one']);
    assert.equal(out.talk, '');
  });

  it('says so when nothing is wanted of what it has', async () => {
    const client = { ...nobody, logs: () => Promise.resolve([event(0, 'one')]) };
    const filter = () => false;
    const status = await printLogs({ client, output, json: false, lines: 9, follow: false, filter, folder });
    assert.deepEqual([status, out.answers, out.talk], [0, '', 'The log has no such line.\n']);
  });

  it('is followed over the end of the manager, without a gap and without a line twice', async () => {
    await save('manager.log', [event(0, 'one')]);
    let log: EventView[] = [];
    let isThere = false;
    let tell: (event: EventView | undefined) => void = () => undefined;
    const client = {
      logs: () => Promise.resolve(log),
      async *events(signal: AbortSignal): AsyncGenerator<EventView> {
        if (!isThere) throw new HcmError('HCM_NOT_RUNNING', 'Nobody answers.');
        const told: (EventView | undefined)[] = [{ event: 'snapshot', time: '' }];
        let wake: () => void = () => undefined;
        tell = (one) => {
          told.push(one);
          wake();
        };
        signal.addEventListener('abort', () => tell(undefined), { once: true });
        for (;;) {
          for (const one of told.splice(0)) {
            if (one === undefined) return;
            yield one;
          }
          await new Promise<void>((resolve) => (wake = resolve));
        }
      },
    };
    const following = run(client, { follow: true });
    await until(() => out.talk.includes('Waiting for the manager'));
    assert.deepEqual(printed(), ['one']);
    // It begins, and has told something before it is asked.
    log = [event(1, 'two'), event(2, 'three')];
    isThere = true;
    await clock.advanceAsync(1_000);
    await until(() => printed().length === 3);
    tell(event(2, 'three'));
    tell(event(3, 'four'));
    await until(() => printed().length === 4);
    isThere = false;
    tell(undefined);
    await until(() => clock.timers === 1);
    log = [event(4, 'five')];
    isThere = true;
    await clock.advanceAsync(1_000);
    await until(() => printed().length === 5);
    signals.emit('SIGINT', 'SIGINT');
    assert.equal(await following, 0);
    assert.deepEqual(printed(), ['one', 'two', 'three', 'four', 'five']);
    assert.equal(clock.timers, 0);
  });
});
