import assert from 'node:assert/strict';
import { METADATA_POLL_MS } from '../../../src/tunnel/metadata-watch.ts';
import { parseAllowRule } from '../../../src/protocol/allow-list.ts';
import { formatTarget, type Target } from '../../../src/protocol/target.ts';
import { expectNothingLeft } from '../../helpers/resources.ts';
import { TunnelBed, readAll, tcpClient } from '../../helpers/tunnel-bed.ts';
import { ENTITY, rejectsWith } from '../../helpers/tunnel.ts';
import { until } from '../../helpers/until.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';

describe('a target from the metadata of the entity', () => {
  expectNothingLeft();
  let bed: TunnelBed;
  let target: Target;
  let other: Target;

  beforeEach(async () => {
    bed = await TunnelBed.start();
    target = await bed.target((socket) => void socket.end('the target'));
    other = await bed.target((socket) => void socket.end('another host'), '127.0.0.2');
  });
  afterEach(() => bed.stop());

  const describeAs = (to: Target) => bed.emulator.addConnection({ name: ENTITY, target: formatTarget(to) });

  async function answer(): Promise<string> {
    const client = await tcpClient(await bed.localPort());
    const text = (await readAll(client)).toString();
    client.destroy();
    return text;
  }

  /** The metadata are read again with each registration. */
  async function registerAgain(clock: FakeClock): Promise<void> {
    const times = bed.heard.of('online').length;
    bed.emulator.faults.dropControlChannels();
    await until(() => bed.heard.of('reconnecting').length === times);
    clock.advance(30_000);
    await until(() => bed.heard.of('online').length === times + 1);
  }

  it('is read with the key of the listener, and told when it is online', async () => {
    describeAs(target);
    await bed.onlineListener({});
    assert.equal(bed.heard.of('online')[0]?.target, formatTarget(target));
    assert.equal(await answer(), 'the target');
  });

  it('is missed, for good on a first attempt, where the entity names none', async () => {
    const listener = bed.listener();
    listener.start();
    const error = await rejectsWith(listener.online(), 'HCM_TARGET_MISSING');
    assert.match(error.message, /names no target/);
  });

  it('is not missed by a listener that serves requests: streams alone are turned away', async () => {
    await bed.onlineListener({ onRequest: (_request, response) => void response.end('served') });
    const error = await rejectsWith(bed.sender().open(), 'HCM_TARGET_MISSING');
    assert.match(error.message, /no target is known/);
  });

  /** Polls once; the channel may live on the same clock. */
  async function changes(act: () => void): Promise<void> {
    const times = bed.heard.of('target-changed').length;
    act();
    await until(() => bed.heard.of('target-changed').length === times + 1, 'the change');
  }

  it('does not open another host when the metadata are changed in Azure', async () => {
    const clock = new FakeClock(Date.now());
    describeAs(target);
    await bed.onlineListener({ clock });
    describeAs(other);
    await registerAgain(clock);
    await until(() => bed.heard.of('target-changed').length === 1);
    const [changed] = bed.heard.of('target-changed');
    assert.equal(changed?.target, formatTarget(other));
    assert.equal(changed.error?.code, 'HCM_TARGET_NOT_ALLOWED');
    assert.match(
      changed.error.message,
      new RegExp(`${formatTarget(other)} now; ${formatTarget(target)} was`),
    );
    const error = await rejectsWith(bed.sender().open(), 'HCM_TARGET_NOT_ALLOWED');
    assert.match(error.message, /127\.0\.0\.2/, 'it names what was asked for');
  });

  it('follows a change where the allow-list permits it', async () => {
    const clock = new FakeClock(Date.now());
    describeAs(target);
    await bed.onlineListener({ clock, allow: [parseAllowRule('127.0.0.0/8:1-65535')] });
    describeAs(other);
    await registerAgain(clock);
    await until(() => bed.heard.of('target-changed').length === 1);
    assert.equal(bed.heard.of('target-changed')[0]?.error, undefined);
    assert.equal(await answer(), 'another host');
  });

  it('is read again every few minutes, and when it is the confirmed one again all is well', async () => {
    const clock = new FakeClock(Date.now());
    describeAs(target);
    await bed.onlineListener({ clock, confirmedTarget: target, random: () => 0, keepAlive: 'off' });
    await changes(() => {
      describeAs(other);
      clock.advance(METADATA_POLL_MS);
    });
    await rejectsWith(bed.sender().open(), 'HCM_TARGET_NOT_ALLOWED');
    await changes(() => {
      describeAs(target);
      clock.advance(METADATA_POLL_MS);
    });
    assert.equal(bed.heard.of('target-changed')[1]?.error, undefined);
    assert.equal(await answer(), 'the target');
    assert.equal(bed.heard.of('online').length, 1, 'it was registered all the time');
  });

  it('is not forwarded to when another one was confirmed beforehand', async () => {
    describeAs(other);
    await bed.onlineListener({ confirmedTarget: target });
    assert.equal(bed.heard.of('online')[0]?.error?.code, 'HCM_TARGET_NOT_ALLOWED');
    await rejectsWith(bed.sender().open(), 'HCM_TARGET_NOT_ALLOWED');
  });

  it('stays as it is when it cannot be read again', async () => {
    const clock = new FakeClock(Date.now());
    describeAs(target);
    await bed.onlineListener({ clock, random: () => 0, keepAlive: 'off' });
    const [entity] = bed.emulator.state.namespaces.flatMap(({ connections }) => connections);
    assert.ok(entity?.name === ENTITY);
    entity.userMetadata = 'no list';
    clock.advance(METADATA_POLL_MS);
    assert.equal(await answer(), 'the target');
    await registerAgain(clock);
    assert.equal(await answer(), 'the target');
    assert.equal(bed.heard.of('target-changed').length, 0);
  });

  it('gives up a relay that never describes the entity', async () => {
    const clock = new FakeClock(Date.now());
    bed.emulator.faults.blackHole();
    const listener = bed.listener({ clock });
    listener.start();
    await until(() => clock.timers === 3, 'the limits of the read and of the dial, beside the watch');
    clock.advance(10_000);
    await until(() => bed.heard.of('reconnecting').length === 1);
    assert.equal(bed.heard.of('reconnecting')[0]?.error.code, 'HCM_CONNECT_TIMEOUT');
  });
});
