// Execution of plans: in order, and when it breaks off, what is told of what is done and what is not.
import assert from 'node:assert/strict';
import type { Action } from '../../../../../src/lib/services/apply/action.ts';
import { executePlan } from '../../../../../src/lib/services/apply/execute.ts';
import { HcmError } from '../../../../../src/protocol/errors.ts';

const namespace = { subscriptionId: 'sub', resourceGroup: 'group', name: 'my-relay' };
const actions = ['sql', 'web', 'ssh'].map((connection): Action => ({
  ...{ change: 'create', type: 'connection', connection: { ...namespace, connection } },
  ...{ target: undefined, requiresClientAuthorization: true, reason: '' },
}));

const nameOf = (action: Action) => (action.type === 'connection' ? action.connection.connection : '');

/** Performs until `perform` throws; resolves with the error and what was begun. */
async function breakOff(perform: (name: string) => void, signal?: AbortSignal) {
  const begun: string[] = [];
  const error: unknown = await executePlan(actions, {
    perform: (action) => new Promise<void>((resolve) => resolve(perform(nameOf(action)))),
    onAction: (action, number) => void begun.push(`${number} ${nameOf(action)}`),
    signal,
  }).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return { error, begun };
}

describe('the execution of a plan', () => {
  it('does one action after the other', async () => {
    const { error, begun } = await breakOff(() => undefined);
    assert.equal(error, undefined);
    assert.deepEqual(begun, ['1 sql', '2 web', '3 ssh']);
  });

  it('ends at the first that fails, with its error, and tells what is done and what is not', async () => {
    const { error, begun } = await breakOff((name) => {
      if (name === 'web') {
        throw new HcmError('HCM_AZURE_THROTTLED', 'Azure asks to slow down.', {
          ...{ retryable: true, details: { status: 429, next: 'Wait' } },
        });
      }
    });
    assert.ok(error instanceof HcmError);
    assert.deepEqual(begun, ['1 sql', '2 web']);
    assert.equal(error.code, 'HCM_AZURE_THROTTLED');
    assert.equal(error.retryable, true);
    assert.deepEqual(error.details, { status: 429, next: 'Wait', done: 1, open: 2 });
    assert.equal(
      error.message,
      'Could not create connection my-relay/web: Azure asks to slow down. Done before it: create connection my-relay/sql. Not done: create connection my-relay/ssh. The same command goes on from there.',
    );
  });

  it('ends at Ctrl-C, in the middle of an action or between two', async () => {
    const stop = new AbortController();
    const { error, begun } = await breakOff((name) => {
      if (name !== 'sql') return;
      stop.abort();
      throw new HcmError('HCM_INTERRUPTED', 'Creating it goes on in Azure.');
    }, stop.signal);
    assert.ok(error instanceof HcmError);
    assert.deepEqual(begun, ['1 sql']);
    assert.equal(error.code, 'HCM_INTERRUPTED');
    assert.equal(
      error.message,
      'Interrupted at: create connection my-relay/sql. Creating it goes on in Azure. Nothing was changed before it. Not done: create connection my-relay/web, create connection my-relay/ssh. The same command goes on from there.',
    );

    const between = new AbortController();
    const second = await breakOff(() => between.abort(), between.signal);
    assert.ok(second.error instanceof HcmError);
    assert.deepEqual(second.begun, ['1 sql']);
    assert.match(
      second.error.message,
      /^Interrupted at: create connection my-relay\/web\. Done before it: create connection my-relay\/sql\. /,
    );
  });

  it('passes a bug on as it is', async () => {
    const bug = new TypeError('x is undefined');
    const { error } = await breakOff(() => {
      throw bug;
    });
    assert.equal(error, bug);
  });
});
