import assert from 'node:assert/strict';
import { HcmError } from '../../../src/protocol/errors.ts';
import { parseSasToken } from '../../../src/protocol/sas-token.ts';
import { RelayTime } from '../../../src/tunnel/relay-time.ts';
import { cachedTokens, sasKeyTokens } from '../../../src/tunnel/token-provider.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';

const ENTITY = { host: 'ns.servicebus.windows.net', path: 'db' };
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

describe("the relay's time", () => {
  let clock: FakeClock;
  let time: RelayTime;

  beforeEach(() => {
    clock = new FakeClock();
    time = new RelayTime(clock);
  });

  /** When the token is over, by the clock of the relay. */
  async function expiryOf(tokens = time.stamped(sasKeyTokens({ keyName: 'k', key: 's' }, clock))) {
    return parseSasToken((await tokens.token(ENTITY)).text).expiresAtMs;
  }

  it('makes no difference before an answer has come, and where the clocks agree', async () => {
    assert.equal(await expiryOf(), clock.nowMs() + HOUR_MS);
    time.learn(-1_000);
    assert.equal(await expiryOf(), clock.nowMs() + HOUR_MS);
  });

  it('stamps tokens where our clock is behind', async () => {
    const realMs = clock.nowMs();
    time.learn(0);
    clock.jumpWallClock(-HOUR_MS);
    assert.equal(await expiryOf(), realMs + HOUR_MS);
    clock.advance(MINUTE_MS);
    assert.equal(await expiryOf(), realMs + MINUTE_MS + HOUR_MS);
  });

  it('learns from a refused token', async () => {
    const text = 'The clock of this machine is 60 minutes behind';
    const refusal = new HcmError('HCM_CLOCK_SKEW', text, { details: { skewMs: HOUR_MS } });
    assert.deepEqual([time.learnFrom(refusal), time.learnFrom(refusal)], [true, false]);
    assert.equal(await expiryOf(), clock.nowMs() + 2 * HOUR_MS);
  });

  it('trusts our own clock where it is the later one: after sleep it is right', async () => {
    time.learn(0);
    clock.jumpWallClock(8 * HOUR_MS);
    assert.equal(await expiryOf(), clock.nowMs() + HOUR_MS);
    assert.equal(time.isSure, false);
  });

  it('tells a wrong clock once, another wrong one again, and that it is right', () => {
    time.learn(1_000);
    assert.equal(time.skewToTell(), undefined);
    time.learn(HOUR_MS);
    assert.equal(time.skewToTell(), HOUR_MS);
    assert.equal(time.skewToTell(), undefined);
    clock.jumpWallClock(-2 * HOUR_MS);
    assert.equal(time.skewToTell(), -HOUR_MS);
    clock.jumpWallClock(HOUR_MS);
    assert.equal(time.skewToTell(), 0);
    assert.equal(time.skewToTell(), undefined);
  });

  it('lets no kept token live longer because the clock was set back', async () => {
    time.learn(0);
    const kept = cachedTokens(time.stamped(sasKeyTokens({ keyName: 'k', key: 's' }, clock)), clock);
    const first = await expiryOf(kept);
    clock.jumpWallClock(-HOUR_MS);
    assert.equal(await expiryOf(kept), first);
    clock.advance(HOUR_MS);
    assert.equal(await expiryOf(kept), first + HOUR_MS);
  });
});
