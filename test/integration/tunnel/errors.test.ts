import assert from 'node:assert/strict';
import { parseAllowRule } from '../../../src/protocol/allow-list.ts';
import type { ErrorCode } from '../../../src/protocol/errors.ts';
import { systemClock, type Clock } from '../../../src/tunnel/clock.ts';
import { readySasToken, sasKeyTokens, type TokenProvider } from '../../../src/tunnel/token-provider.ts';
import { expectNothingLeft } from '../../helpers/resources.ts';
import { TunnelBed, outcomeOf, readAll, tcpClient } from '../../helpers/tunnel-bed.ts';
import { ENTITY, rejectsWith, type ListenerConnection } from '../../helpers/tunnel.ts';
import { until } from '../../helpers/until.ts';

const MINUTE_MS = 60_000;

/** Ten times as fast, for what waits between two attempts. */
const hasty: Clock = { ...systemClock, setTimer: (delayMs, act) => systemClock.setTimer(delayMs / 10, act) };

function shifted(byMs: number): Clock {
  return { ...systemClock, nowMs: () => Date.now() + byMs };
}

describe('errors of the tunnel', () => {
  expectNothingLeft();
  let bed: TunnelBed;

  beforeEach(async () => (bed = await TunnelBed.start()));
  afterEach(() => bed.stop());

  /** What one attempt gives, of a listener and of a sender alike. */
  async function bothFail(change: (connection: ListenerConnection) => ListenerConnection, code: ErrorCode) {
    const listener = bed.listener({}, change(bed.connection('listener')));
    listener.start();
    const [error] = await Promise.all([
      rejectsWith(listener.online(), code),
      rejectsWith(bed.sender({}, change(bed.connection('sender'))).open(), code),
    ]);
    assert.equal(listener.state.name, 'failed');
    assert.equal((await listener.ended)?.code, code);
    assert.equal(bed.heard.of('offline')[0]?.error?.code, code);
    return error;
  }

  it('tells a wrong key', async () => {
    const tokens = sasKeyTokens({ keyName: 'RootManageSharedAccessKey', key: 'wrong' }, systemClock);
    await bothFail((connection) => ({ ...connection, tokens }), 'HCM_TOKEN_SIGNATURE');
  });

  it('tells a key name that does not exist', async () => {
    const tokens = sasKeyTokens({ keyName: 'nobody', key: 'wrong' }, systemClock);
    await bothFail((connection) => ({ ...connection, tokens }), 'HCM_TOKEN_SIGNATURE');
  });

  it('tells an expired token', async () => {
    const past: Clock = shifted(-30 * MINUTE_MS);
    const { listener, sender } = {
      listener: bed.connection('listener', { clock: past, lifetimeMs: MINUTE_MS }),
      sender: bed.connection('sender', { clock: past, lifetimeMs: MINUTE_MS }),
    };
    const started = bed.listener({}, listener);
    started.start();
    await rejectsWith(started.online(), 'HCM_TOKEN_EXPIRED');
    await rejectsWith(bed.sender({}, sender).open(), 'HCM_TOKEN_EXPIRED');
  });

  it('tells a missing right', async () => {
    const crossed = bed.listener({}, bed.connection('sender'));
    crossed.start();
    const error = await rejectsWith(crossed.online(), 'HCM_RIGHT_MISSING');
    assert.match(error.message, /team\/hyco-1/);
    await rejectsWith(bed.sender({}, bed.connection('listener')).open(), 'HCM_RIGHT_MISSING');
  });

  it('tells an entity that does not exist', async () => {
    const { RootManageSharedAccessKey: key } = { RootManageSharedAccessKey: bed.emulator.connectionString };
    const match = /SharedAccessKeyName=([^;]+);SharedAccessKey=([^;]+)/.exec(key);
    const tokens = sasKeyTokens({ keyName: match?.[1] ?? '', key: match?.[2] ?? '' }, systemClock);
    await bothFail((connection) => ({ ...connection, path: 'no/such', tokens }), 'HCM_ENTITY_NOT_FOUND');
  });

  it("works with a clock that is 10 minutes behind, by the relay's time, and tells how far", async () => {
    const clock = shifted(-10 * MINUTE_MS);
    const lifetimeMs = 5 * MINUTE_MS;
    const target = await bed.target((socket) => void socket.end('here'));
    await bed.onlineListener({ target, clock }, bed.connection('listener', { clock, lifetimeMs }));
    const sender = bed.sender({ clock }, bed.connection('sender', { clock, lifetimeMs }));
    // All of them meet the refusal.
    const opened = await Promise.all(Array.from({ length: 3 }, () => sender.open()));
    for (const { webSocket } of opened) webSocket.destroy();
    assert.deepEqual(bed.heard.of('reconnecting'), []);
    for (const log of [bed.heard, bed.sent]) {
      const told = log.of('clock-skew').map(({ skewMs }) => Math.round(skewMs / MINUTE_MS));
      assert.deepEqual(told, [-10]);
    }
  });

  it("names a clock that is 10 minutes behind where the relay's time cannot help, and how far", async () => {
    const clock = shifted(-10 * MINUTE_MS);
    let asked = 0;
    const made = async (role: 'listener' | 'sender') => {
      const connection = bed.connection(role, { clock, lifetimeMs: 5 * MINUTE_MS });
      const token = await connection.tokens.token({ host: connection.endpoint.host, path: connection.path });
      const ready = readySasToken(token.text);
      const tokens: TokenProvider = {
        renewable: false,
        token: (entity) => {
          asked += 1;
          return ready.token(entity);
        },
      };
      return { ...connection, tokens };
    };
    const listener = bed.listener({ clock }, await made('listener'));
    listener.start();
    const error = await rejectsWith(listener.online(), 'HCM_CLOCK_SKEW');
    assert.match(error.message, /10 minutes behind/);
    await rejectsWith(bed.sender({ clock }, await made('sender')).open(), 'HCM_CLOCK_SKEW');
    assert.equal(asked, 2, 'a ready-made token is shown once by each');
    assert.equal(Math.round((bed.sent.of('clock-skew')[0]?.skewMs ?? 0) / MINUTE_MS), -10);
  });

  it('asks once more, not for ever, when the relay refuses tokens that are good by its own clock', async () => {
    const clock = shifted(-10 * MINUTE_MS);
    const lifetimeMs = 5 * MINUTE_MS;
    const { tokens } = bed.connection('sender', { clock, lifetimeMs });
    let made = 0;
    const stubborn: TokenProvider = {
      renewable: true,
      token: ({ host, path }) => {
        made += 1;
        return tokens.token({ host, path });
      },
    };
    for (const role of ['listener', 'sender'] as const) {
      made = 0;
      const connection = { ...bed.connection(role), tokens: stubborn };
      const listener = bed.listener({ clock }, connection);
      if (role === 'listener') listener.start();
      const failing = role === 'listener' ? listener.online() : bed.sender({ clock }, connection).open();
      await rejectsWith(failing, 'HCM_CLOCK_SKEW');
      assert.equal(made, 2, role);
    }
  });

  it('reports a clock that is 10 minutes ahead although all works', async () => {
    const clock = shifted(10 * MINUTE_MS);
    const target = await bed.target((socket) => socket.pipe(socket));
    await bed.onlineListener({ target, clock });
    const { webSocket } = await bed.sender({ clock }).open();
    webSocket.destroy();
    for (const log of [bed.heard, bed.sent]) {
      const skewMs = log.of('clock-skew')[0]?.skewMs ?? 0;
      assert.ok(Math.abs(skewMs - 10 * MINUTE_MS) < 5_000, `${skewMs}`);
    }
  });

  it('tells that no listener is there', async () => {
    const error = await rejectsWith(bed.sender().open(), 'HCM_NO_LISTENER');
    assert.equal(error.retryable, true);
  });

  it('tells that the listener did not answer in time', async () => {
    bed.emulator.faults.refuse({ action: 'connect', status: 504, reason: 'Gateway Timeout' });
    await rejectsWith(bed.sender().open(), 'HCM_LISTENER_TIMEOUT');
  });

  it('tries a busy relay three times, and succeeds when it recovers', async () => {
    const target = await bed.target((socket) => void socket.end('here'));
    await bed.onlineListener({ target });
    bed.emulator.faults.refuse({ action: 'connect', status: 503, reason: 'Service Unavailable', times: 2 });
    const { webSocket } = await bed.sender({ clock: hasty }).open();
    webSocket.destroy();
    bed.emulator.faults.refuse({ action: 'connect', status: 503, reason: 'Service Unavailable', times: 3 });
    await rejectsWith(bed.sender({ clock: hasty }).open(), 'HCM_RELAY_BUSY');
  });

  it('gives up a handshake that the relay never answers, and leaves nothing', async () => {
    bed.emulator.faults.stallMs = { connect: Infinity };
    const error = await rejectsWith(
      bed.sender({ attemptTimeoutMs: 500, clock: hasty }).open(),
      'HCM_CONNECT_TIMEOUT',
    );
    assert.match(error.message, /0\.5 s/);
    await rejectsWith(bed.sender({ totalTimeoutMs: 50 }).open(), 'HCM_CONNECT_TIMEOUT');
  });

  it('can be interrupted while a stream is opened', async () => {
    bed.emulator.faults.stallMs = { connect: Infinity };
    const controller = new AbortController();
    const opening = assert.rejects(bed.sender().open({ signal: controller.signal }), /enough/);
    await until(() => bed.sent.all.length >= 0);
    controller.abort(new Error('enough'));
    await opening;
  });

  describe('about the target', () => {
    /** The listener's reason comes out at the sender, and the client of a local port is reset. */
    async function refusedWith(code: ErrorCode): Promise<string> {
      const error = await rejectsWith(bed.sender().open(), code);
      const { ended, error: seen } = await outcomeOf(await tcpClient(await bed.localPort())).over;
      assert.ok(seen && !ended, 'the client was reset');
      await until(() => bed.sent.of('refused').length === 1);
      assert.equal(bed.sent.of('refused')[0]?.error.code, code);
      assert.deepEqual(
        bed.heard.of('rejected').map((event) => event.error.code),
        [code, code],
      );
      return error.message;
    }

    it('tells that it refused', async () => {
      const target = await bed.target(() => undefined);
      const gone = { ...target, port: 1 };
      await bed.onlineListener({ target: gone });
      assert.match(await refusedWith('HCM_TARGET_REFUSED'), /127\.0\.0\.1:1 refused/);
    });

    it('tells that its name does not resolve', async () => {
      await bed.onlineListener({ target: { host: 'db.invalid', port: 5432 } });
      assert.match(await refusedWith('HCM_TARGET_UNRESOLVED'), /db\.invalid/);
    });

    it('tells that it is not on the allow-list, though its name resolves', async () => {
      const { port } = await bed.target(() => assert.fail('it was dialed'), '127.0.0.1');
      const allow = [parseAllowRule('10.0.0.0/8:*'), parseAllowRule(`db.corp:${port}`)];
      await bed.onlineListener({ target: { host: 'localhost', port }, allow });
      assert.match(await refusedWith('HCM_TARGET_NOT_ALLOWED'), /not on the allow-list/);
    });

    it('turns streams over the limit away, and takes new ones when there is room', async () => {
      const target = await bed.target((socket) => socket.pipe(socket));
      const listener = await bed.onlineListener({ target, maxStreams: 1 });
      const sender = bed.sender();
      const first = await sender.open();
      const error = await rejectsWith(sender.open(), 'HCM_LISTENER_BUSY');
      assert.match(error.message, /the limit is reached: 1 stream or request is open/);
      assert.equal(error.retryable, true);
      first.webSocket.destroy();
      await until(() => listener.openStreams === 0);
      (await sender.open()).webSocket.destroy();
    });

    it('reaches a target by IPv6, given as an address', async () => {
      const target = await bed.target((socket) => void socket.end('over IPv6'), '::1');
      await bed.onlineListener({ target });
      const client = await tcpClient(await bed.localPort());
      assert.equal((await readAll(client)).toString(), 'over IPv6');
      assert.equal(bed.heard.of('accepted')[0]?.target, `[::1]:${target.port}`);
      client.destroy();
    });
  });

  describe('of a listener that keeps trying', () => {
    it('is waiting, not failed, and says why', async () => {
      const stranger = bed.listener({ keepTrying: true }, bed.connection('sender'));
      stranger.start();
      await until(() => bed.heard.of('reconnecting').length === 1);
      const [event] = bed.heard.of('reconnecting');
      assert.equal(event?.error.code, 'HCM_RIGHT_MISSING');
      assert.ok(event.retryInMs >= 7_500);
      assert.equal(stranger.state.name, 'waiting');
    });

    it('never takes anything for final once it was online', async () => {
      const listener = await bed.onlineListener({ target: { host: '127.0.0.1', port: 9 } });
      bed.emulator.removeConnection(ENTITY);
      await until(() => bed.heard.of('reconnecting').length >= 1);
      assert.equal(bed.heard.of('reconnecting')[0]?.error.code, 'HCM_ENTITY_NOT_FOUND');
      assert.equal(listener.state.name, 'waiting');
    });

    it('takes a relay that goes away for a lost connection, not for a hybrid connection that is gone', async () => {
      await bed.onlineListener({ target: { host: '127.0.0.1', port: 9 } });
      await bed.emulator.stop();
      await until(() => bed.heard.of('reconnecting').length >= 1);
      const [lost] = bed.heard.of('reconnecting');
      assert.deepEqual([lost?.error.code, lost?.error.retryable], ['HCM_CONNECTION_LOST', true]);
      assert.match(lost?.error.message ?? '', /The emulator stops$/);
      assert.ok((lost?.retryInMs ?? Infinity) <= 1_000, 'not as slow as one that somebody has to mend');
    });
  });
});
