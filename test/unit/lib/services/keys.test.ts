import assert from 'node:assert/strict';
import type { App } from '../../../../src/lib/arm/apps.ts';
import { describeStep, rotationSteps, type KeyUser } from '../../../../src/lib/services/keys.ts';
import { matchKey, type SendKeyState } from '../../../../src/lib/services/send-keys.ts';

function user(name: string, has: SendKeyState): KeyUser {
  const app: App = {
    ...{ subscriptionId: 's', resourceGroup: 'g', name, kind: 'app', location: 'westeurope' },
    ...{ planId: undefined, tier: '', linux: false, windowsContainer: false },
  };
  const relay = {
    ...{ namespace: 'ns', connection: 'db', relayId: '', keyName: 'defaultSender', suffix: '' },
    target: { host: 'h', port: 1 },
  };
  return { attachment: { app, relay }, has };
}

function stepsOf(...args: Parameters<typeof rotationSteps>): string[] {
  return rotationSteps(...args).map((step) =>
    step.step === 'move' ? `${step.attachment.app.name} -> ${step.to}` : step.key,
  );
}

describe('the plan of a rotation', () => {
  it('has every app off a key before that is made anew', () => {
    const users = [user('a', 'primary'), user('b', 'secondary'), user('c', 'stale'), user('d', 'unknown')];
    assert.deepEqual(stepsOf(['primary'], users), [
      'a -> secondary',
      'c -> secondary',
      'd -> secondary',
      'primary',
    ]);
    const off = ['b -> primary', 'c -> primary', 'd -> primary'];
    assert.deepEqual(stepsOf(['secondary'], users), [...off, 'secondary']);
  });

  it('of both keys moves all there and back', () => {
    const users = [user('a', 'primary'), user('b', 'secondary')];
    assert.deepEqual(stepsOf(['primary', 'secondary'], users), [
      ...['a -> secondary', 'primary'],
      ...['a -> primary', 'b -> primary', 'secondary'],
    ]);
  });

  it('without apps is only the keys', () => {
    assert.deepEqual(stepsOf(['primary', 'secondary'], []), ['primary', 'secondary']);
  });

  it('reads well before, meanwhile and after', () => {
    const [move, regenerate] = rotationSteps(['primary'], [user('a', 'primary')]);
    assert.ok(move && regenerate);
    assert.equal(describeStep(move).would, 'would move the app "a" (ns/db) to the secondary key');
    assert.equal(describeStep(regenerate).done, 'regenerated the primary key');
  });
});

describe('the key that an app has', () => {
  const keys = {
    ...{ rule: 'r', primaryKey: 'p', secondaryKey: 's' },
    ...{ primaryConnectionString: '', secondaryConnectionString: '' },
  };

  it('is one of the two, or no longer good; an empty one never is', () => {
    assert.deepEqual(
      ['p', 's', 'x', ''].map((sent) => matchKey(sent, keys)),
      ['primary', 'secondary', 'stale', 'stale'],
    );
    assert.equal(matchKey('', { ...keys, primaryKey: '' }), 'stale');
  });
});
