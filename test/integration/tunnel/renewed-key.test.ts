import assert from 'node:assert/strict';
import { lookedUpKeyTokens, type SasKey } from '../../../src/tunnel/token-provider.ts';
import { parseConnectionString } from '../../../src/protocol/connection-string.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';
import { expectNothingLeft } from '../../helpers/resources.ts';
import { TunnelBed, readAll } from '../../helpers/tunnel-bed.ts';
import { rejectsWith } from '../../helpers/tunnel.ts';
import { RendezvousStream } from '../../../src/tunnel/rendezvous-stream.ts';

const LONG_MS = 60_000;
const OLD = 'b2xkIGtleSwgbm90IHZhbGlkIGFueSBtb3JlIGF0IGFsbCE=';

describe('a key that was renewed', () => {
  expectNothingLeft();
  let bed: TunnelBed;

  beforeEach(async () => (bed = await TunnelBed.start()));
  afterEach(() => bed.stop());

  function rightKey(): SasKey {
    const { credential } = parseConnectionString(bed.emulator.connectionString);
    assert.ok(credential.kind === 'key');
    return { keyName: credential.keyName, key: credential.key };
  }

  /** The old key until `renewed` look-ups were made; each look-up is a minute after the one before. */
  function keysRenewedAfter(lookUps: number) {
    const clock = new FakeClock(Date.now());
    const asked = { count: 0 };
    const lookUp = () => {
      asked.count += 1;
      const key = asked.count > lookUps ? rightKey() : { ...rightKey(), key: OLD };
      queueMicrotask(() => clock.advance(LONG_MS));
      return Promise.resolve(key);
    };
    return { asked, tokens: lookedUpKeyTokens(lookUp, clock) };
  }

  it('is looked up again by a listener and by a sender, at once', async () => {
    const target = await bed.target((socket) => socket.pipe(socket));
    const listening = keysRenewedAfter(1);
    const sending = keysRenewedAfter(1);
    await bed.onlineListener({ target }, { ...bed.connection('listener'), tokens: listening.tokens });
    const { webSocket } = await bed
      .sender({}, { ...bed.connection('sender'), tokens: sending.tokens })
      .open();
    const stream = new RendezvousStream(webSocket);
    stream.end('hello');
    assert.equal(String(await readAll(stream)), 'hello');
    assert.deepEqual([listening.asked.count, sending.asked.count], [2, 2]);
    assert.deepEqual(bed.heard.of('reconnecting'), []);
  });

  it('is looked up again once for all streams that met the old one', async () => {
    const target = await bed.target((socket) => socket.end());
    await bed.onlineListener({ target });
    const { tokens, asked } = keysRenewedAfter(1);
    const sender = bed.sender({}, { ...bed.connection('sender'), tokens });
    const opened = await Promise.all(Array.from({ length: 5 }, () => sender.open()));
    for (const { webSocket } of opened) webSocket.destroy();
    assert.equal(asked.count, 2);
  });

  it('that stays wrong ends a sender after a few tries', async () => {
    const { tokens, asked } = keysRenewedAfter(Infinity);
    await rejectsWith(bed.sender({}, { ...bed.connection('sender'), tokens }).open(), 'HCM_TOKEN_SIGNATURE');
    assert.equal(asked.count, 3);
  });
});
