import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import type { EmulatorConnection, EmulatorState } from '../../../src/emulator/create-emulator.ts';
import { createEmulator } from '../../../src/emulator/create-emulator.ts';
import { Child } from '../../helpers/child.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';
import { expectNothingLeft } from '../../helpers/resources.ts';
import { TunnelBed, outcomeOf, tcpClient } from '../../helpers/tunnel-bed.ts';
import { ENTITY } from '../../helpers/tunnel.ts';
import { turns, until } from '../../helpers/until.ts';

interface RelayReady {
  port: number;
  caPem: string;
  connections: EmulatorConnection[];
  state: EmulatorState;
}

describe('an outage of the relay', function () {
  this.timeout(30_000);
  expectNothingLeft();
  const connections = [{ name: ENTITY }];
  let bed: TunnelBed;
  let child: Child<RelayReady> | undefined;

  afterEach(async () => {
    await child?.kill();
    child = undefined;
    await bed.stop();
  });

  /** Talks for ever: no stream is silent when the relay dies. */
  function chatter(socket: Socket): void {
    const block = randomBytes(16 * 1024);
    const talk = () => {
      while (!socket.destroyed && socket.write(block));
    };
    socket.on('drain', talk).resume();
    talk();
  }

  it('ends 100 busy streams with an error when the relay is killed; none looks complete', async () => {
    child = await Child.start<RelayReady>('./emulator-process.ts', { connections });
    bed = TunnelBed.over(child.ready);
    const served: Socket[] = [];
    const target = await bed.target((socket) => void served.push(socket));
    const listener = await bed.onlineListener({ target });
    const port = await bed.localPort();
    const clients = await Promise.all(Array.from({ length: 100 }, () => tcpClient(port)));
    await until(() => listener.openStreams + served.length === 200, '100 streams at both ends', 15_000);
    const all = [...clients, ...served];
    const outcomesToCome = all.map((socket) => outcomeOf(socket).over);
    all.forEach(chatter);
    await until(() => all.every(({ bytesRead }) => bytesRead > 20_000), 'bytes in all streams', 15_000);
    await child.kill();
    const killedAt = performance.now();
    const outcomes = await Promise.all(outcomesToCome);
    assert.ok(performance.now() - killedAt < 5_000, 'within seconds');
    assert.equal(outcomes.length, 200);
    const wrong = outcomes.flatMap(({ ended, error }, at) =>
      ended || !error ? [`${at} ${ended} ${error?.message}`] : [],
    );
    assert.deepEqual(wrong, []);
    await until(() => listener.openStreams === 0 && bed.sent.of('closed').length === 100);
    for (const event of [...bed.heard.of('closed'), ...bed.sent.of('closed')])
      assert.equal(event.error?.code, 'HCM_CONNECTION_LOST');
  });

  it('ends a stream whose client has sent all and waits for the answer, when the relay is killed', async () => {
    child = await Child.start<RelayReady>('./emulator-process.ts', { connections });
    bed = TunnelBed.over(child.ready);
    const served: Socket[] = [];
    const target = await bed.target((socket) => void served.push(socket.resume()));
    await bed.onlineListener({ target });
    const client = await tcpClient(await bed.localPort());
    const outcome = outcomeOf(client);
    client.end('question');
    await until(() => served[0]?.readableEnded === true, 'the end of the question at the target');
    await child.kill();
    const logs = [bed.heard, bed.sent];
    await until(() => logs.every((log) => log.of('closed').length === 1), 'the end at both');
    for (const log of logs) assert.equal(log.of('closed')[0]?.error?.code, 'HCM_CONNECTION_LOST');
    assert.ok(outcome.error && !outcome.ended);
    // The target has read to the end: what it writes tells it of the reset.
    const broken = outcomeOf(served[0] as Socket);
    served[0]?.write('answer');
    await until(() => broken.error !== undefined, 'the reset at the target');
  });

  it('is over 5 s after the relay is back from an outage of 3 s, by the clock of the listener', async () => {
    const clock = new FakeClock(Date.now());
    bed = await TunnelBed.start({ connections });
    const { state, port } = bed.emulator;
    const listener = await bed.onlineListener({
      target: { host: '127.0.0.1', port: 9 },
      clock,
      random: () => 0,
    });
    clock.advance(10_000);
    await bed.emulator.abort();
    await until(() => bed.heard.of('reconnecting').length === 1);
    await advance(clock, 3_000);
    const back = await createEmulator({ state, port, ca: bed.ca });
    bed.onStop(() => back.stop());
    await advance(clock, 5_000, () => listener.state.name === 'online');
    assert.equal(listener.state.name, 'online');
    assert.equal(bed.heard.of('online').length, 2);
  });

  it('is over 31 s after the relay is back from a day, however the dice fall', async () => {
    const clock = new FakeClock(Date.now());
    bed = await TunnelBed.start({ connections });
    const { state, port } = bed.emulator;
    const listener = await bed.onlineListener({
      target: { host: '127.0.0.1', port: 9 },
      clock,
      random: () => 0,
    });
    await bed.emulator.abort();
    await until(() => bed.heard.of('reconnecting').length === 1);
    for (let attempt = 2; attempt <= 8; attempt += 1) {
      clock.advance(30_000);
      await until(() => bed.heard.of('reconnecting').length >= attempt);
    }
    const waits = bed.heard.of('reconnecting').map((event) => event.retryInMs);
    assert.deepEqual(waits.slice(0, 7), [1000, 2000, 4000, 8000, 16000, 30000, 30000]);
    const back = await createEmulator({ state, port, ca: bed.ca });
    bed.onStop(() => back.stop());
    await advance(clock, 31_000, () => listener.state.name === 'online');
    assert.equal(listener.state.name, 'online');
  });

  it('is noticed within 45 s when the relay only falls silent', async () => {
    const clock = new FakeClock(Date.now());
    bed = await TunnelBed.start({ connections });
    await bed.onlineListener({ target: { host: '127.0.0.1', port: 9 }, clock });
    bed.emulator.faults.blackHole();
    clock.advance(45_000);
    await until(() => bed.heard.of('reconnecting').length === 1);
    assert.equal(bed.heard.of('reconnecting')[0]?.error.code, 'HCM_KEEPALIVE_TIMEOUT');
  });

  it('does not matter to a listener that is recycled by the service, as each is once a day', async () => {
    const clock = new FakeClock(Date.now());
    bed = await TunnelBed.start({ connections });
    const listener = await bed.onlineListener({
      target: { host: '127.0.0.1', port: 9 },
      clock,
      random: () => 0,
    });
    clock.advance(10_000);
    bed.emulator.faults.dropControlChannels({ code: 1011, reason: 'NameRenewalFailed' });
    await until(() => listener.state.name === 'waiting');
    const [event] = bed.heard.of('reconnecting');
    assert.equal(event?.error.code, 'HCM_RELAY_FAULT');
    assert.equal(event?.retryInMs, 1000);
    await advance(clock, 1_000, () => listener.state.name === 'online');
    assert.equal(bed.emulator.listenerCount(ENTITY), 1);
  });
});

/** Lets the fake clock go on in steps, with time for the network between them. */
async function advance(clock: FakeClock, byMs: number, until: () => boolean = () => false): Promise<void> {
  const end = clock.monotonicMs() + byMs;
  while (clock.monotonicMs() < end && !until()) {
    clock.advance(Math.min(250, end - clock.monotonicMs()));
    await turns(100);
  }
}
