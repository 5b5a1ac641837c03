// Plans for destroy, on a model of Azure: all that is declared goes, nothing else does, however often it broke off.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { AzureDeclaration } from '../../../../../src/lib/config/hcm-yaml/declaration.ts';
import { describeAction } from '../../../../../src/lib/services/apply/action.ts';
import { planApply } from '../../../../../src/lib/services/apply/apply-plan.ts';
import { planDestroy } from '../../../../../src/lib/services/apply/destroy-plan.ts';
import { sameName } from '../../../../../src/lib/services/apply/existing.ts';
import { AzureModel } from './azure-model.ts';
import { declarations, worlds } from './azure-worlds.ts';

const db = { host: 'db', port: 1433 };
const azure: AzureDeclaration = {
  namespaces: [
    {
      ...{ name: 'my-relay', tags: {}, rules: [{ name: 'shared', rights: ['Send'] }] },
      connections: [{ name: 'sql', target: db, rules: [], apps: [{ name: 'app' }] }],
    },
  ],
};

function applied(): AzureModel {
  const model = new AzureModel();
  for (const action of planApply(azure, model.existing(azure))) model.perform(action);
  return model;
}

const plan = (declared: AzureDeclaration, model: AzureModel) =>
  planDestroy(declared, model.existing(declared));

describe('the plan of destroy', () => {
  it('takes all that apply made, the last thing first', () => {
    const { actions, kept } = plan(azure, applied());
    assert.deepEqual(actions.map(describeAction), [
      'delete attachment app to my-relay/sql',
      'delete connection my-relay/sql',
      'delete rule shared of my-relay',
      'delete namespace my-relay',
    ]);
    assert.deepEqual(kept, []);
  });

  it('leaves a namespace with anything else in it, and says with what', () => {
    const model = applied();
    const [namespace] = model.namespaces;
    assert.ok(namespace);
    namespace.rules.push(
      { name: 'theirs', rights: ['Send'] },
      { name: 'RootManageSharedAccessKey', rights: ['Listen', 'Send', 'Manage'] },
    );
    namespace.connections.push({
      name: 'old',
      target: db,
      requiresClientAuthorization: true,
      rules: [],
      key: 9,
    });
    namespace.others.push('WCF relay legacy');
    const { actions, kept } = plan(azure, model);
    assert.ok(!actions.some(({ type }) => type === 'namespace'));
    assert.deepEqual(kept, [
      { name: 'my-relay', because: ['connection old', 'rule theirs', 'WCF relay legacy'] },
    ]);
  });

  it('takes a connection off apps that the file does not name, too: it would be dead there', () => {
    const model = applied();
    const [attachment] = model.attachments;
    assert.ok(attachment);
    model.attachments.push({ ...attachment, app: AzureModel.appRef({ name: 'other', slot: 'staging' }) });
    assert.deepEqual(
      plan(azure, model)
        .actions.slice(0, 2)
        .map(({ reason }) => reason),
      ['to db:1433', 'to db:1433; the file does not name this app'],
    );
  });

  it('takes what is left at an app of a connection that is gone', () => {
    const model = applied();
    model.namespaces = [];
    assert.deepEqual(plan(azure, model).actions.map(describeAction), [
      'delete attachment app to my-relay/sql',
    ]);
  });

  it('leaves nothing of what is declared and everything else, however often it breaks off', () => {
    const cuts = fc.array(fc.nat({ max: 4 }), { maxLength: 3 });
    fc.assert(
      fc.property(declarations, worlds, cuts, (declared, makeWorld, lengths) => {
        const model = makeWorld();
        const before = structuredClone(model.namespaces);
        for (const length of lengths) {
          for (const action of plan(declared, model).actions.slice(0, length)) model.perform(action);
        }
        for (const action of plan(declared, model).actions) model.perform(action);
        assert.deepEqual(plan(declared, model).actions, []);
        assert.deepEqual(remaining(declared, model), []);
        assert.deepEqual(foreign(declared, structuredClone(model.namespaces)), foreign(declared, before));
      }),
      { numRuns: 150 },
    );
  });
});

function remaining(declared: AzureDeclaration, model: AzureModel): string[] {
  return declared.namespaces.flatMap(({ name, connections, rules }) => {
    const found = model.namespaces.find((one) => sameName(one.name, name));
    const isIn = (list: readonly { name: string }[], one: { name: string }) =>
      list.some((other) => sameName(other.name, one.name));
    const attached = model.attachments.filter(
      (one) =>
        sameName(one.namespace, name) &&
        connections.some((connection) => sameName(connection.name, one.connection)),
    );
    return [
      ...(found?.connections.filter((one) => isIn(connections, one)) ?? []),
      ...(found?.rules.filter((one) => isIn(rules, one)) ?? []),
    ]
      .map((one) => one.name)
      .concat(attached.map(({ app }) => app.name));
  });
}

/** Things that the file does not name. */
function foreign(declared: AzureDeclaration, namespaces: AzureModel['namespaces']) {
  return namespaces.flatMap((namespace) => {
    const own = declared.namespaces.find(({ name }) => sameName(name, namespace.name));
    const isOwn = (list: readonly { name: string }[] | undefined, name: string) =>
      list?.some((one) => sameName(one.name, name)) ?? false;
    const connections = namespace.connections.filter(({ name }) => !isOwn(own?.connections, name));
    const rules = namespace.rules.filter(({ name }) => !isOwn(own?.rules, name));
    const holdsNothing = connections.length + rules.length + namespace.others.length === 0;
    return own && holdsNothing
      ? []
      : [{ name: namespace.name, connections, rules, others: namespace.others }];
  });
}
