import assert from 'node:assert/strict';
import type { Subscription } from '../../../../src/lib/arm/subscriptions.ts';
import { findSubscription } from '../../../../src/lib/auth/subscriptions.ts';

const named = (displayName: string, subscriptionId: string): Subscription => ({
  ...{ displayName, subscriptionId, state: 'Enabled' },
});
const KNOWN = [named('Dev', 'a-1'), named('Prod', 'b-2'), named('prod', 'c-3')];

describe('the subscription that is meant', () => {
  it('has this name or this id, whatever the case', () => {
    assert.equal(findSubscription(KNOWN, 'dev').subscriptionId, 'a-1');
    assert.equal(findSubscription(KNOWN, 'B-2').displayName, 'Prod');
  });

  it('is an error when nobody has the name, or two have it; the names are told', () => {
    const next = { code: 'HCM_SUBSCRIPTION_MISSING', details: { next: 'hcm account list' } };
    assert.throws(() => findSubscription(KNOWN, 'test'), {
      ...next,
      message: '"test" is no subscription that you can see. There are: Dev, Prod, prod.',
    });
    assert.throws(() => findSubscription(KNOWN, 'prod'), { ...next, message: /is the name of several/ });
    assert.throws(() => findSubscription([], 'x'), { message: '"x" is no subscription that you can see.' });
  });
});
