import assert from 'node:assert/strict';
import {
  CODE_LIFETIME_MS,
  SESSION_LIFETIME_MS,
  Sessions,
  type Entry,
} from '../../../../src/manager/web/sessions.ts';
import { FakeClock } from '../../../helpers/fake-clock.ts';

describe('the sessions of the web page', () => {
  let clock: FakeClock;
  let sessions: Sessions;

  beforeEach(() => {
    clock = new FakeClock();
    sessions = new Sessions(clock);
  });

  const redeem = (): Entry => {
    const entry = sessions.redeem(sessions.invite().code);
    assert.ok(entry);
    return entry;
  };
  const enter = (): string => redeem().cookie;

  it('a code is 256 random bits and says when it ends', () => {
    const { code, expiresMs } = sessions.invite();
    assert.match(code, /^[\w-]{43}$/);
    assert.notEqual(code, sessions.invite().code);
    assert.equal(expiresMs - clock.nowMs(), 60_000);
  });

  it('a code is good once', () => {
    const { code } = sessions.invite();
    assert.ok(sessions.redeem(code));
    assert.equal(sessions.redeem(code), undefined);
  });

  it('a code is good until its minute is over', () => {
    const [early, late] = [sessions.invite(), sessions.invite()];
    clock.advance(CODE_LIFETIME_MS - 1);
    assert.ok(sessions.redeem(early.code));
    clock.advance(1);
    assert.equal(sessions.redeem(late.code), undefined);
  });

  it('a code does not outlive its minute while the machine sleeps', () => {
    const { code } = sessions.invite();
    clock.jumpWallClock(CODE_LIFETIME_MS);
    assert.equal(sessions.redeem(code), undefined);
  });

  it('wrong codes, however many, do not lock out the right one', () => {
    const { code } = sessions.invite();
    for (const wrong of ['', code.slice(1), `${code}x`, code.toUpperCase(), 'é'.repeat(100)])
      assert.equal(sessions.redeem(wrong), undefined);
    for (let count = 0; count < 1_000; count += 1) sessions.redeem(`wrong-${count}`);
    assert.ok(sessions.redeem(code));
  });

  it('a code is no session, and a session no code', () => {
    const { code } = sessions.invite();
    assert.equal(sessions.find(code), undefined);
    assert.equal(sessions.redeem(enter()), undefined);
  });

  it('a session has two secrets of 256 random bits, and neither is the other', () => {
    const [first, second] = [redeem(), redeem()];
    const secrets = [first, second].flatMap(({ cookie, pageKey }) => [cookie, pageKey]);
    assert.equal(new Set(secrets).size, 4);
    for (const secret of secrets) assert.match(secret, /^[\w-]{43}$/);
    assert.equal(sessions.find(first.pageKey), undefined);
    const session = sessions.find(first.cookie);
    assert.equal(session?.isKey(first.pageKey), true);
    for (const wrong of ['', first.cookie, second.pageKey, first.pageKey.slice(1), 'é'.repeat(100)])
      assert.equal(session?.isKey(wrong), false, wrong);
  });

  it('a session is found until its time is over, by the clock and by the wall', () => {
    const secret = enter();
    clock.advance(SESSION_LIFETIME_MS - 1);
    assert.ok(sessions.find(secret));
    clock.advance(1);
    assert.equal(sessions.find(secret), undefined);
    const asleep = enter();
    clock.jumpWallClock(SESSION_LIFETIME_MS);
    assert.equal(sessions.find(asleep), undefined);
  });

  it('cuts whoever follows when the session ends, and nobody who has left', () => {
    const session = sessions.find(enter());
    const cut: string[] = [];
    session?.onEnd(() => cut.push('follower'));
    session?.onEnd(() => cut.push('left'))();
    clock.advance(SESSION_LIFETIME_MS);
    assert.deepEqual(cut, ['follower']);
  });

  it('keeps so many codes and sessions, and gives up the oldest', () => {
    const codes = Array.from({ length: 17 }, () => sessions.invite().code);
    assert.equal(sessions.redeem(codes[0] ?? ''), undefined);
    assert.ok(sessions.redeem(codes[1] ?? ''));
    const first = enter();
    let cut = 0;
    sessions.find(first)?.onEnd(() => (cut += 1));
    const others = Array.from({ length: 32 }, enter);
    assert.deepEqual([sessions.find(first), cut], [undefined, 1]);
    assert.ok(others.every((secret) => sessions.find(secret)));
  });

  it('leaves no timer behind', () => {
    sessions.invite();
    const session = sessions.find(enter());
    let cut = 0;
    session?.onEnd(() => (cut += 1));
    sessions.close();
    assert.deepEqual([clock.timers, cut], [0, 1]);
  });
});
