import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import {
  connectionLines,
  logLine,
  managedLines,
  printManaged,
  statusLines,
} from '../../../../../src/lib/cli/manager/manager-presenter.ts';
import { Output } from '../../../../../src/lib/cli/output.ts';
import { nameFilter } from '../../../../../src/lib/cli/manager/name-filter.ts';
import type { ConnectionDetails, KeysView } from '../../../../../src/manager/control/operations.ts';
import { written } from '../../../../helpers/written.ts';

const NOW = Date.parse('2026-01-01T01:00:00.000Z');
const reason = { code: 'HCM_TARGET_REFUSED', message: 'db:5432 refused', next: 'look there' } as const;
const view = (connection: string, more: Partial<ConnectionDetails> = {}): ConnectionDetails => ({
  ...{ id: `listen ${connection}`, role: 'listener', connection, source: 'file', state: 'online' },
  ...{ since: '2026-01-01T00:00:00.000Z', binds: [], openStreams: 0, opened: 0, refused: 0 },
  ...{ bytesIn: 0, bytesOut: 0, reconnects: 0, streams: [], errors: [] },
  ...more,
});

describe('what the manager runs, for people', () => {
  it('says what to do about those that need a look, once for all that need the same', () => {
    const found = [
      view('r/a'),
      view('r/b', { state: 'degraded', reason }),
      view('r/c', { state: 'degraded', reason }),
    ];
    const lines = managedLines(found, NOW);
    assert.match(lines[2] ?? '', /^r\/b +listener +degraded +1h .*db:5432 refused \(HCM_TARGET_REFUSED\)$/);
    assert.equal(lines.at(-1), 'Next for r/b, r/c: look there');
    assert.equal(lines.length, 5);
  });

  it('does not claim that the manager runs nothing when a pattern or a flag found nothing', () => {
    const said = (existing: number) => {
      const stderr = new PassThrough();
      printManaged(new Output({ stderr, env: {} }), [], NOW, existing);
      return written(stderr);
    };
    assert.match(said(0), /^The manager runs no connection\. Next: hcm add /);
    assert.match(said(2), /^None of the connections .*Next: hcm list$/m);
  });

  it('shows a connection with its remedy, and its errors with the stream that both ends know', () => {
    const error = { ...reason, at: '2026-01-01T00:59:00.000Z', stream: 's1' };
    const other = { ...error, message: 'db:5433 refused', stream: 's2' };
    const lines = connectionLines(view('r/a', { reason, state: 'degraded', errors: [error, other] }), NOW);
    assert.ok(lines.some((line) => /^next: +look there$/.test(line)));
    assert.deepEqual(lines.slice(-3), [
      '1m ago: db:5432 refused (HCM_TARGET_REFUSED), stream s1',
      '1m ago: db:5433 refused (HCM_TARGET_REFUSED), stream s2',
      '  Next: look there',
    ]);
  });

  it('counts an error that came again and again, and says when it came last', () => {
    const error = (second: number, message: string) => ({
      ...{ code: reason.code, message, next: 'look there' },
      at: new Date(NOW - second * 1_000).toISOString(),
    });
    const errors = [error(3, 'a'), error(4, 'b'), error(5, 'a'), error(60, 'a')];
    assert.deepEqual(connectionLines(view('r/a', { errors }), NOW).slice(-3), [
      '3 times, last 3s ago: a (HCM_TARGET_REFUSED)',
      '4s ago: b (HCM_TARGET_REFUSED)',
      '  Next: look there',
    ]);
  });

  it('has a line of the log without JSON: why something is so is its text, with the code', () => {
    const event = { event: 'state', time: 't', id: 'listen r/a', state: 'degraded', reason, n: 1 };
    assert.equal(
      logLine(event),
      't state "listen r/a" state=degraded reason="db:5432 refused (HCM_TARGET_REFUSED)" n=1',
    );
  });

  it('tells what is wrong with the manager itself, and what to do', () => {
    const manager = {
      ...{ apiVersion: 1, version: '1.2.3', pid: 7, startedAt: '2026-01-01T00:00:00.000Z', folder: '/f' },
      problems: [reason],
    };
    const lines = statusLines({ manager, connections: [view('r/a')] }, NOW);
    assert.match(lines.join('\n'), /problems: +db:5432 refused\n +Next: look there$/);
    assert.match(lines.join('\n'), /1 of 1 online/);
    const [above, first] = statusLines({ manager, connections: [] }, NOW, [['service', 'active']]);
    assert.equal(above?.indexOf('active'), first?.indexOf('1.2.3'), 'one column for both');
  });

  it('tells where keys lie, where the next one goes, and why not to the keychain', () => {
    const shown = (keys: KeysView) => {
      const manager = {
        ...{ apiVersion: 1, version: '1.2.3', pid: 7, startedAt: '2026-01-01T00:00:00.000Z', folder: '/f' },
        ...{ problems: [], keys },
      };
      return statusLines({ manager, connections: [] }, NOW).join('\n');
    };
    const fell = { choice: 'auto', added: 'file', because: 'it is locked.' } as const;
    assert.match(
      shown({ ...fell, held: { file: 2, credential: 1 } }),
      /keys: +2 in secrets\.json\n +1 handed over by systemd\n +new ones go to secrets\.json \(auto: it is locked\)\n/,
    );
    assert.match(
      shown({ choice: 'keychain', added: 'keychain', held: {} }),
      /keys: +new ones go to the keychain \(keychain\)\n/,
    );
    const all = { variable: 5, 'key-file': 4, credential: 3, file: 2, keychain: 1 };
    assert.deepEqual(shown({ choice: 'file', added: 'file', held: all }).match(/\d (?:in|handed) .*/g), [
      '1 in the keychain',
      '2 in secrets.json',
      '3 handed over by systemd',
      '4 in a file that hcm.yaml names',
      '5 in hcm.yaml or its variables',
    ]);
  });
});

describe('a filter of names', () => {
  const cases: [pattern: string | undefined, name: string, isMeant: boolean][] = [
    [undefined, 'my-relay/db', true],
    ['my-relay', 'my-relay/team/db', true],
    ['my-relay', 'my-relay2/db', false],
    ['my-relay/*', 'My-Relay/db', true],
    ['*/db', 'my-relay/db', true],
    ['*/db', 'my-relay/db2', false],
    ['my.relay/db', 'my-relay/db', false],
    ['*', 'my-relay/db', true],
  ];
  for (const [pattern, name, isMeant] of cases)
    it(`${pattern ?? 'none'}: ${name} ${isMeant ? 'is' : 'is not'} meant`, () =>
      assert.equal(nameFilter(pattern)(name), isMeant));
});
