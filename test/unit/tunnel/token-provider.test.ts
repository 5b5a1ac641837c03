import assert from 'node:assert/strict';
import { HcmError } from '../../../src/protocol/errors.ts';
import { parseSasToken } from '../../../src/protocol/sas-token.ts';
import {
  cachedTokens,
  entraTokens,
  lookedUpKeyTokens,
  mayTryNewerToken,
  readySasToken,
  sasKeyTokens,
  type SasKey,
} from '../../../src/tunnel/token-provider.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';

const ENTITY = { host: 'ns.servicebus.windows.net', path: 'db' };
const HOUR_MS = 3_600_000;
const LONG_MS = 60_000;

describe('token providers', () => {
  let clock: FakeClock;
  beforeEach(() => (clock = new FakeClock()));

  /** Keys k1, k2, … in the order in which they are asked for. */
  function countedKeys(fail: (count: number) => boolean = () => false) {
    const asked = { count: 0 };
    const lookUp = (): Promise<SasKey> => {
      asked.count += 1;
      return fail(asked.count)
        ? Promise.reject(new HcmError('HCM_AZURE_UNAVAILABLE', 'no answer'))
        : Promise.resolve({ keyName: 'defaultListener', key: `k${asked.count}` });
    };
    return { asked, tokens: lookedUpKeyTokens(lookUp, clock) };
  }

  it('a key that was looked up signs as a key that was given', async () => {
    const { tokens, asked } = countedKeys();
    const given = sasKeyTokens({ keyName: 'defaultListener', key: 'k1' }, clock);
    assert.deepEqual(await tokens.token(ENTITY), await given.token(ENTITY));
    await tokens.token(ENTITY);
    assert.equal(asked.count, 1);
  });

  it('many that ask at once cost one look-up', async () => {
    const { tokens, asked } = countedKeys();
    await Promise.all([tokens.token(ENTITY), tokens.token(ENTITY), tokens.token(ENTITY)]);
    assert.equal(asked.count, 1);
  });

  it('a refused key is asked for again, even one that was asked for just now, but not again and again', async () => {
    const { tokens, asked } = countedKeys();
    const first = await tokens.token(ENTITY);
    assert.equal(tokens.refused?.(), true);
    assert.notEqual((await tokens.token(ENTITY)).text, first.text);
    assert.equal(tokens.refused?.(), false);
    assert.equal(asked.count, 2);
    clock.advance(LONG_MS);
    assert.equal(tokens.refused?.(), true);
  });

  it('a failed look-up is told and not kept', async () => {
    const { tokens, asked } = countedKeys((count) => count === 1);
    await assert.rejects(tokens.token(ENTITY), { code: 'HCM_AZURE_UNAVAILABLE' });
    await tokens.token(ENTITY);
    assert.equal(asked.count, 2);
  });

  it('a refusal empties the cache of tokens too', async () => {
    const { tokens } = countedKeys();
    const cached = cachedTokens(tokens, clock);
    const first = await cached.token(ENTITY);
    clock.advance(LONG_MS);
    assert.equal((await cached.token(ENTITY)).text, first.text);
    assert.equal(cached.refused?.(), true);
    assert.notEqual((await cached.token(ENTITY)).text, first.text);
  });

  it('only what a renewed key explains is worth another try', () => {
    for (const code of ['HCM_TOKEN_SIGNATURE', 'HCM_UNAUTHORIZED'] as const) {
      assert.equal(mayTryNewerToken(countedKeys().tokens, code), true, code);
    }
    const { tokens } = countedKeys();
    for (const code of ['HCM_RIGHT_MISSING', 'HCM_NO_LISTENER', 'HCM_TOKEN_EXPIRED'] as const) {
      assert.equal(mayTryNewerToken(tokens, code), false, code);
    }
    assert.equal(
      mayTryNewerToken(sasKeyTokens({ keyName: 'a', key: 'b' }, clock), 'HCM_TOKEN_SIGNATURE'),
      false,
    );
    assert.equal(mayTryNewerToken(undefined, 'HCM_TOKEN_SIGNATURE'), false);
  });

  it('an Entra token goes out as it is, and is asked for each time', async () => {
    let count = 0;
    const tokens = entraTokens(() =>
      Promise.resolve({ text: `header.body.${(count += 1)}`, expiresAtMs: clock.nowMs() + HOUR_MS }),
    );
    assert.equal((await tokens.token(ENTITY)).text, 'header.body.1');
    assert.equal((await tokens.token(ENTITY)).text, 'header.body.2');
    assert.equal(tokens.renewable, true);
  });

  it('a ready-made token is not renewable', async () => {
    const { text, expiresAtMs } = await sasKeyTokens({ keyName: 'r', key: 'k' }, clock).token(ENTITY);
    const ready = readySasToken(text);
    assert.equal(ready.renewable, false);
    // SAS tokens hold whole seconds.
    assert.deepEqual(await ready.token(ENTITY), { text, expiresAtMs: parseSasToken(text).expiresAtMs });
    assert.ok(Math.abs(parseSasToken(text).expiresAtMs - expiresAtMs) < 1_000);
  });
});
