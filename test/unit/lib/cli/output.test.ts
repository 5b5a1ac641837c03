import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { EventPresenter } from '../../../../src/lib/cli/event-presenter.ts';
import { presentError } from '../../../../src/lib/cli/error-presenter.ts';
import { Output, type OutputOptions } from '../../../../src/lib/cli/output.ts';
import { HcmError } from '../../../../src/protocol/errors.ts';
import type { TunnelEvent } from '../../../../src/tunnel/events.ts';
import { written } from '../../../helpers/written.ts';

const SECRET = 'SharedAccessKey=c2VjcmV0c2VjcmV0';
const BASE = { time: '2026-01-02T03:04:05.678Z', connection: 'ns.servicebus.windows.net/db' };

function captured(options: OutputOptions = {}, terminal = false) {
  const [stdout, stderr] = [new PassThrough(), Object.assign(new PassThrough(), { isTTY: terminal })];
  const output = new Output({ stdout, stderr, env: {}, ...options });
  return { output, stdout: () => written(stdout), stderr: () => written(stderr) };
}

describe('output', () => {
  it('hides secrets in all that it writes, but where they are asked for', () => {
    const { output, stdout, stderr } = captured();
    output.answer(SECRET);
    output.json({ deep: [{ text: SECRET }] });
    output.say(SECRET);
    output.warn(SECRET);
    output.complain(SECRET);
    assert.ok(!`${stdout()}${stderr()}`.includes('c2Vj'));
    output.jsonWithSecrets({ text: SECRET });
    assert.ok(stdout().includes('c2Vj'));
  });

  it('talks on stderr, answers on stdout; with stdout taken, all is on stderr', () => {
    const free = captured();
    free.output.say('talk');
    free.output.answer('answer');
    assert.deepEqual([free.stdout(), free.stderr()], ['answer\n', 'talk\n']);
    const taken = captured({ stdoutTaken: true });
    taken.output.json({ a: 1 });
    assert.deepEqual([taken.stdout(), taken.stderr()], ['', '{"a":1}\n']);
  });

  it('is quiet with --quiet, but for errors', () => {
    const { output, stderr } = captured({ quiet: true });
    output.say('talk');
    output.complain('error');
    assert.equal(stderr(), 'error\n');
  });

  it('names the cloud in a command to type next when a flag named it, and leaves other advice alone', () => {
    const { output, stderr } = captured({ cloud: 'local' });
    output.next('hcm listen ns/db', 'No listener is online. ');
    assert.equal(stderr(), 'No listener is online. Next: hcm listen ns/db --cloud local\n');
    const others = [
      'hcm emulator start',
      'hcm cloud list',
      'hcm show ns/db --role listener',
      'hcm service status',
      'hcm rule list --help',
      'Add --yes',
      'hcm a, or hcm b',
    ];
    assert.deepEqual(
      others.map((text) => output.inSameCloud(text)),
      others,
    );
    assert.equal(
      output.inSameCloud('Start a listener on the private side: hcm listen ns/db --target HOST:PORT'),
      'Start a listener on the private side: hcm listen ns/db --target HOST:PORT --cloud local',
    );
    assert.equal(
      output.inSameCloud('Start the emulator: hcm emulator start'),
      'Start the emulator: hcm emulator start',
    );
    assert.equal(captured().output.inSameCloud('hcm app list'), 'hcm app list');
    output.warn('App Service does not see it: hcm connection update ns/db --target HOST:PORT');
    assert.match(stderr(), /^Warning: .* --target HOST:PORT --cloud local$/m);
    const missing = new HcmError('HCM_RESOURCE_NOT_FOUND', 'none', { details: { next: 'hcm app list' } });
    presentError(missing, output, { json: false, longRunning: false });
    assert.match(stderr(), /^Next: {2}hcm app list --cloud local$/m);
  });

  it('has no colours with NO_COLOR or without a terminal', () => {
    assert.equal(captured({ env: { NO_COLOR: '1' } }, true).output.paint.red('x'), 'x');
    assert.equal(captured({}, false).output.paint.red('x'), 'x');
  });
});

describe('presented errors', () => {
  const error = new HcmError('HCM_NO_LISTENER', 'Nobody listens', {
    details: { host: 'my-relay.servicebus.windows.net', path: 'db', status: 404, reason: 'none' },
  });

  it('for people: what failed, what Azure said, what to type, where to read', () => {
    const { output, stdout, stderr } = captured();
    assert.equal(presentError(error, output, { json: false, longRunning: true }), 4);
    assert.equal(stdout(), '');
    assert.equal(
      stderr(),
      [
        'Error: Nobody listens',
        'Azure: 404 none',
        'Next:  Start a listener on the private side: hcm listen my-relay/db --target HOST:PORT',
        'HCM_NO_LISTENER, see docs/errors.md#hcm_no_listener\n',
      ].join('\n'),
    );
  });

  it('for people, a relay without words has no line: its status is in the message', () => {
    const mute = new HcmError('HCM_RELAY_FAULT', 'ns answered 500', { details: { status: 500, reason: '' } });
    const withId = new HcmError('HCM_RELAY_FAULT', 'ns answered 500', {
      details: { status: 500, reason: '', trackingId: 'abc_G1' },
    });
    const { output, stderr } = captured();
    presentError(mute, output, { json: false, longRunning: false });
    assert.doesNotMatch(stderr(), /^Azure/m);
    presentError(withId, output, { json: false, longRunning: false });
    assert.match(stderr(), /^Azure: 500 \(tracking id abc_G1\)$/m);
  });

  it('for people, words of the relay that are in the message are not said twice', () => {
    const reason = 'There is nobody. TrackingId:abc_G1, Timestamp:2026-01-02';
    const twice = new HcmError('HCM_NO_LISTENER', 'ns answered 404: There is nobody.', {
      details: { status: 404, reason, trackingId: 'abc_G1' },
    });
    const { output, stderr } = captured();
    presentError(twice, output, { json: false, longRunning: false });
    assert.match(stderr(), /^Azure: 404 TrackingId:abc_G1, Timestamp:2026-01-02$/m);
  });

  it('for programs: one document, or an event where there are events', () => {
    for (const longRunning of [false, true]) {
      const { output, stdout } = captured();
      presentError(error, output, { json: true, longRunning });
      const shown = JSON.parse(stdout()) as { event?: string; error: { code: string; azure: unknown } };
      assert.equal(shown.event, longRunning ? 'error' : undefined);
      assert.deepEqual(
        [shown.error.code, shown.error.azure],
        ['HCM_NO_LISTENER', { status: 404, message: 'none' }],
      );
    }
  });
});

describe('presented events', () => {
  const closed: TunnelEvent = { ...BASE, event: 'closed', stream: '12345678-9', bytesIn: 1, bytesOut: 2 };
  const refused: TunnelEvent = {
    ...{ ...BASE, event: 'refused', stream: '12345678-9' },
    error: new HcmError('HCM_TARGET_REFUSED', 'db:5432 refused', { cause: new Error(SECRET) }),
  };

  it('with --json: one object a line, errors as reason, message and next', () => {
    const { output, stdout } = captured();
    const events = new EventPresenter(output, true);
    events.ready({ bind: '127.0.0.1:1' }, ['ignored']);
    events.onEvent(closed);
    events.onEvent(refused);
    const lines = stdout()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    assert.deepEqual([lines[0]?.['event'], lines[0]?.['bind']], ['ready', '127.0.0.1:1']);
    assert.deepEqual(lines[1], { ...closed, reason: 'ended' });
    assert.deepEqual(Object.keys(lines[2] ?? {}), [
      'time',
      'connection',
      'event',
      'stream',
      'reason',
      'message',
      'next',
    ]);
    assert.equal(lines[2]?.['reason'], 'HCM_TARGET_REFUSED');
  });

  it('for people: a line with the time, the stream and the reason', () => {
    const { output, stdout, stderr } = captured();
    const events = new EventPresenter(output, false);
    events.onEvent(closed);
    events.onEvent(refused);
    assert.equal(stdout(), '');
    const [first, second] = stderr().split('\n');
    assert.equal(first, '03:04:05 12345678 closed, 1 bytes in, 2 out');
    assert.match(
      second ?? '',
      /^03:04:05 12345678 refused: db:5432 refused \(HCM_TARGET_REFUSED\)\. On the private side/,
    );
  });

  it('a state of the manager that comes again with the same reason is said once; programs get each', () => {
    const { output, stderr } = captured();
    const events = new EventPresenter(output, false);
    const told = (state: string, message?: string) =>
      events.manager({
        ...{ event: 'state', time: BASE.time, id: 'listen r/a', state },
        ...(message === undefined ? {} : { reason: { code: 'HCM_CONNECT_REFUSED', message } }),
      });
    told('connecting');
    for (const message of ['refused', 'refused', 'no name', 'refused']) {
      told('waiting', message);
      told('connecting');
    }
    told('online');
    told('waiting', 'refused');
    const said = stderr()
      .trimEnd()
      .split('\n')
      .map((line) => line.slice(line.indexOf('listen r/a ') + 'listen r/a '.length));
    assert.deepEqual(said, [
      ...['connecting', 'waiting: refused', 'waiting: no name', 'waiting: refused'],
      ...['online', 'waiting: refused'],
    ]);
    const programs = captured();
    const all = new EventPresenter(programs.output, true);
    for (const state of ['waiting', 'connecting', 'waiting'])
      all.manager({ event: 'state', time: BASE.time, state });
    assert.equal(programs.stdout().trimEnd().split('\n').length, 3);
  });

  it('for people, a message that ends with a dot reads on', () => {
    const { output, stderr } = captured();
    const error = new HcmError('HCM_TARGET_REFUSED', 'ns answered 502: no.');
    new EventPresenter(output, false).onEvent({ ...BASE, event: 'refused', stream: '12345678-9', error });
    assert.match(stderr(), /ns answered 502: no \(HCM_TARGET_REFUSED\)\. On/);
  });

  it('what only matters while debugging needs --verbose', () => {
    for (const verbose of [false, true]) {
      const { output, stderr } = captured({ verbose });
      new EventPresenter(output, false).onEvent({ ...BASE, event: 'connecting' });
      assert.equal(stderr() !== '', verbose);
    }
  });
});
