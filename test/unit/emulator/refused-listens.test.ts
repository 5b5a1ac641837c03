/** Listeners that come back at once after a refusal are slowed down; others are not. */
import { deepEqual, equal } from 'node:assert/strict';
import { RefusedListens } from '../../../src/emulator/relay/refused-listens.ts';

const DELAY_MS = 1_000;

describe('RefusedListens', () => {
  const storm = (refused: RefusedListens, who: string, times: number, everyMs = 4) =>
    Array.from({ length: times }, (_, index) => refused.delayFor(who, index * everyMs));

  it('holds the answer back from the sixth in a row', () => {
    deepEqual(storm(new RefusedListens(DELAY_MS), 'a', 7), [0, 0, 0, 0, 0, DELAY_MS, DELAY_MS]);
  });

  it('goes on as long as the listener comes at once after each late answer', () => {
    const refused = new RefusedListens(DELAY_MS);
    storm(refused, 'a', 6);
    equal(refused.delayFor('a', 20 + DELAY_MS + 4), DELAY_MS);
    equal(refused.delayFor('a', 24 + 4 * DELAY_MS), 0);
  });

  it('leaves those alone who wait between attempts, and all others', () => {
    const refused = new RefusedListens(DELAY_MS);
    deepEqual(new Set(storm(refused, 'patient', 20, 2 * DELAY_MS)), new Set([0]));
    storm(refused, 'a', 10);
    equal(refused.delayFor('b', 40), 0);
  });

  it('forgives who gets in', () => {
    const refused = new RefusedListens(DELAY_MS);
    storm(refused, 'a', 6);
    refused.forgive('a');
    equal(refused.delayFor('a', 24), 0);
  });

  it('holds back a bounded number of answers', () => {
    const refused = new RefusedListens(DELAY_MS);
    const delayed = () => storm(refused, 'a', 1_000).filter((delayMs) => delayMs > 0).length;
    equal(delayed(), 250);
    for (let count = 0; count < 250; count += 1) refused.answered();
    equal(refused.delayFor('a', 4_000), DELAY_MS);
  });

  it('remembers a bounded number of offenders', () => {
    const refused = new RefusedListens(DELAY_MS);
    storm(refused, 'first', 6);
    for (let index = 0; index < 1_000; index += 1) refused.delayFor(`other-${index}`, 24);
    equal(refused.delayFor('first', 24), 0);
  });
});
