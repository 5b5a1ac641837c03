// Plans as they are shown: aligned lines for people, names apart for programs.
import assert from 'node:assert/strict';
import { Chalk } from 'chalk';
import {
  describeForJson,
  formatKept,
  formatPlan,
  summarizePlan,
} from '../../../../src/lib/cli/plan-presenter.ts';
import type { Action } from '../../../../src/lib/services/apply/action.ts';

const namespace = { subscriptionId: 'sub', resourceGroup: 'group', name: 'my-relay' };
const connection = { ...namespace, connection: 'sql' };
const app = {
  ...{ subscriptionId: 'other', resourceGroup: 'web', name: 'app', slot: 'staging' },
  planId: 'x',
  kind: 'app',
};
const target = { host: 'db', port: 1433 };

const actions: Action[] = [
  {
    change: 'create',
    type: 'namespace',
    namespace,
    location: 'westeurope',
    tags: { a: 's3cret' },
    reason: 'in westeurope',
  },
  { change: 'update', type: 'attachment', app, connection, target, reason: 'target a:1 -> db:1433' },
  { change: 'delete', type: 'rule', owner: connection, rule: { name: 'old' }, reason: '[Send]' },
];

describe('the presenter of plans', () => {
  it('aligns a line for each action', () => {
    assert.deepEqual(formatPlan(actions), [
      '+ namespace   my-relay                            in westeurope',
      '~ attachment  app (slot staging) to my-relay/sql  target a:1 -> db:1433',
      '- rule        old of my-relay/sql                 [Send]',
    ]);
  });

  it('paints what comes, changes and goes', () => {
    const [created = '', updated = '', deleted = ''] = formatPlan(actions, new Chalk({ level: 1 }));
    assert.deepEqual(
      [created, updated, deleted].map((line) => line.slice(0, 5)),
      ['\u001b[32m', '\u001b[33m', '\u001b[31m'],
    );
  });

  it('counts, leaving out what there is nothing of', () => {
    assert.equal(summarizePlan(actions), '1 to create, 1 to update, 1 to delete.');
    assert.equal(summarizePlan(actions.slice(0, 1)), '1 to create.');
  });

  it('says what stays, and why', () => {
    assert.deepEqual(formatKept([{ name: 'my-relay', because: ['connection old', 'rule theirs'] }]), [
      'The namespace my-relay stays: it has connection old, rule theirs.',
    ]);
  });

  it('gives programs the names apart, and neither tags nor what else is known of an app', () => {
    const where = { subscriptionId: 'sub', resourceGroup: 'group', namespace: 'my-relay' };
    assert.deepEqual(actions.map(describeForJson), [
      { action: 'create', type: 'namespace', ...where, reason: 'in westeurope' },
      {
        ...{ action: 'update', type: 'attachment', ...where, connection: 'sql' },
        app: { subscriptionId: 'other', resourceGroup: 'web', name: 'app', slot: 'staging' },
        reason: 'target a:1 -> db:1433',
      },
      { action: 'delete', type: 'rule', ...where, connection: 'sql', rule: 'old', reason: '[Send]' },
    ]);
  });
});
