// Plans for apply: what they hold in plain cases, and, on a model of Azure, that a plan that is done leaves what is
// declared and nothing to do, however often it broke off.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { AzureDeclaration } from '../../../../../src/lib/config/hcm-yaml/declaration.ts';
import { describeAction } from '../../../../../src/lib/services/apply/action.ts';
import { concernsStrangers, planApply } from '../../../../../src/lib/services/apply/apply-plan.ts';
import { sameApp, sameName, sameTarget } from '../../../../../src/lib/services/apply/existing.ts';
import { HcmError } from '../../../../../src/protocol/errors.ts';
import { AzureModel } from './azure-model.ts';
import { declarations, worlds } from './azure-worlds.ts';

const db = { host: 'db', port: 1433 };

/** One namespace with one connection, changed as a test wants it. */
function declare(
  connection: Partial<AzureDeclaration['namespaces'][number]['connections'][number]> = {},
  namespace: Partial<AzureDeclaration['namespaces'][number]> = {},
): AzureDeclaration {
  const sql = { name: 'sql', target: db, rules: [], apps: [], ...connection };
  return { namespaces: [{ name: 'my-relay', tags: {}, rules: [], connections: [sql], ...namespace }] };
}

/** As the command plans: strangers are looked at where they matter. */
function plan(azure: AzureDeclaration, model: AzureModel) {
  const first = planApply(azure, model.existing(azure, { strangers: false }));
  return concernsStrangers(first) ? planApply(azure, model.existing(azure)) : first;
}

function modelWith(azure: AzureDeclaration): AzureModel {
  const model = new AzureModel();
  for (const action of plan(azure, model)) model.perform(action);
  return model;
}

const lines = (azure: AzureDeclaration, model: AzureModel) =>
  plan(azure, model).map((action) => `${describeAction(action)}: ${action.reason}`);

describe('the plan of apply', () => {
  it('makes all, in the order in which it can be made', () => {
    const azure = declare(
      { rules: [{ name: 'ops', rights: ['Listen', 'Send'] }], apps: [{ name: 'app', slot: 'staging' }] },
      { rules: [{ name: 'shared', rights: ['Send'] }] },
    );
    assert.deepEqual(lines(azure, new AzureModel()), [
      'create namespace my-relay: in westeurope, resource group group',
      'create rule shared of my-relay: [Send]',
      'create connection my-relay/sql: to db:1433',
      'create rule defaultListener of my-relay/sql: [Listen]',
      'create rule defaultSender of my-relay/sql: [Send]',
      'create rule ops of my-relay/sql: [Listen, Send]',
      'create attachment app (slot staging) to my-relay/sql: ',
    ]);
  });

  it('takes a new target to the apps before the connection, also to those that the file does not name', () => {
    const model = modelWith(declare({ apps: [{ name: 'app' }, { name: 'other' }] }));
    const azure = declare({ target: { host: 'new', port: 1433 }, apps: [{ name: 'app' }] });
    assert.deepEqual(lines(azure, model), [
      'update attachment app to my-relay/sql: target db:1433 -> new:1433',
      'update attachment other to my-relay/sql: target db:1433 -> new:1433; the file does not name this app',
      'update connection my-relay/sql: target db:1433 -> new:1433',
    ]);
  });

  it('takes a new target to all apps even when it broke off on the way', () => {
    const azure = declare({ target: { host: 'new', port: 1433 }, apps: [{ name: 'app' }] });
    for (let done = 0; done < 3; done++) {
      const model = modelWith(declare({ apps: [{ name: 'app' }, { name: 'other' }] }));
      for (const action of plan(azure, model).slice(0, done)) model.perform(action);
      for (const action of plan(azure, model)) model.perform(action);
      const targets = model.attachments.map(({ target }) => target.host);
      assert.deepEqual(targets, ['new', 'new'], `after ${done} actions`);
    }
  });

  it('makes a connection anew where Azure cannot change it, and gives its apps the new key', () => {
    const azure = declare({ apps: [{ name: 'app' }] });
    const model = modelWith(declare({ apps: [{ name: 'app' }, { name: 'other' }] }));
    const [connection] = model.namespaces[0]?.connections ?? [];
    assert.ok(connection);
    connection.requiresClientAuthorization = false;
    assert.deepEqual(lines(azure, model), [
      'delete connection my-relay/sql: requiresClientAuthorization becomes true, which only a new connection can have: its keys, and what the file does not say of it, end',
      'create connection my-relay/sql: to db:1433',
      'create rule defaultListener of my-relay/sql: [Listen]',
      'create rule defaultSender of my-relay/sql: [Send]',
      'update attachment app to my-relay/sql: the connection is new, and so is its key',
      'update attachment other to my-relay/sql: the connection is new, and so is its key; the file does not name this app',
    ]);
  });

  it('attaches again where the app has another key than the connection', () => {
    const azure = declare({ apps: [{ name: 'app' }] });
    const model = modelWith(azure);
    model.attachments = model.attachments.map((one) => ({ ...one, key: -1 }));
    assert.deepEqual(lines(azure, model), [
      'update attachment app to my-relay/sql: the app has a key that is not valid any more',
    ]);
  });

  it('says which tags change and not what is in them', () => {
    const azure = declare({}, { tags: { team: 'data', cost: 's3cret' } });
    assert.deepEqual(lines(azure, modelWith(declare({}, { tags: { TEAM: 'data', cost: 'old' } }))), [
      'update namespace my-relay: tag cost',
    ]);
  });

  for (const [what, moved] of [
    ['resource group', { resourceGroup: 'elsewhere' }],
    ['location', { location: 'northeurope' }],
  ] as const) {
    it(`refuses to move a namespace to another ${what}`, () => {
      const azure = declare({}, moved);
      assert.throws(
        () => plan(azure, modelWith(declare())),
        (error) =>
          error instanceof HcmError && error.code === 'HCM_RESOURCE_CONFLICT' && error.message.includes(what),
      );
    });
  }

  it('knows a location by both of its names', () => {
    const azure = declare({}, { location: 'West Europe' });
    assert.deepEqual(plan(azure, modelWith(declare())), []);
  });

  it('leads to what is declared, and then there is nothing to do', () => {
    fc.assert(
      fc.property(declarations, worlds, (azure, makeWorld) => {
        const model = makeWorld();
        const before = structuredClone(model.namespaces);
        for (const action of plan(azure, model)) model.perform(action);
        assert.deepEqual(missing(azure, model), []);
        assert.deepEqual(lost(before, azure, model), []);
        assert.deepEqual(plan(azure, model).map(describeAction), []);
      }),
      { numRuns: 150 },
    );
  });

  it('leads there, too, when it breaks off anywhere, again and again', () => {
    const cuts = fc.array(fc.nat({ max: 6 }), { maxLength: 4 });
    fc.assert(
      fc.property(declarations, worlds, cuts, (azure, makeWorld, lengths) => {
        const [model, whole] = [makeWorld(), makeWorld()];
        for (const length of lengths)
          for (const action of plan(azure, model).slice(0, length)) model.perform(action);
        for (const action of plan(azure, model)) model.perform(action);
        for (const action of plan(azure, whole)) whole.perform(action);
        assert.deepEqual(missing(azure, model), []);
        assert.deepEqual(plan(azure, model), []);
        assert.deepEqual(sorted(model), sorted(whole));
      }),
      { numRuns: 150 },
    );
  });
});

/** What a declaration asks for and the model does not have: written down apart from the planner. */
function missing(azure: AzureDeclaration, model: AzureModel): string[] {
  return azure.namespaces.flatMap((namespace) => {
    const found = model.namespaces.find(({ name }) => sameName(name, namespace.name));
    if (found === undefined) return [namespace.name];
    const tags = Object.entries(namespace.tags).filter(([name, value]) => found.tags[name] !== value);
    const connections = namespace.connections.flatMap((declared) => {
      const one = found.connections.find(({ name }) => sameName(name, declared.name));
      if (one === undefined) return [declared.name];
      const { requiresClientAuthorization = one.requiresClientAuthorization } = declared;
      const rights = (rule: string) => one.rules.find(({ name }) => sameName(name, rule))?.rights ?? [];
      const listens = declared.rules.some(({ name }) => sameName(name, 'defaultListener'));
      return [
        ...(declared.target && !sameTarget(declared.target, one.target) ? ['target'] : []),
        ...(one.requiresClientAuthorization === requiresClientAuthorization ? [] : ['authorization']),
        ...(declared.apps.length > 0 && !one.requiresClientAuthorization ? ['authorization for apps'] : []),
        ...declared.rules
          .filter((rule) => String(rights(rule.name)) !== String(rule.rights))
          .map(({ name }) => name),
        ...(listens || rights('defaultListener').includes('Listen') ? [] : ['defaultListener']),
        ...(rights('defaultSender').includes('Send') ? [] : ['defaultSender']),
        ...declared.apps
          .filter(
            (app) =>
              !model.attachments.some(
                (attached) =>
                  sameApp(attached.app, AzureModel.appRef(app)) &&
                  sameName(attached.namespace, namespace.name) &&
                  sameName(attached.connection, declared.name) &&
                  sameTarget(attached.target, declared.target) &&
                  attached.key === one.key,
              ),
          )
          .map(({ name }) => `attachment of ${name}`),
      ];
    });
    return [...tags.map(([name]) => `tag ${name}`), ...connections];
  });
}

/** What was there, is not declared, and is gone. */
function lost(before: AzureModel['namespaces'], azure: AzureDeclaration, model: AzureModel): string[] {
  return before.flatMap((old) => {
    const now = model.namespaces.find(({ name }) => name === old.name);
    const declared = azure.namespaces.find(({ name }) => sameName(name, old.name));
    const isDeclared = (list: readonly { name: string }[] | undefined, name: string) =>
      list?.some((one) => sameName(one.name, name)) ?? false;
    return [
      ...old.connections.filter(
        (one) =>
          !isDeclared(declared?.connections, one.name) &&
          !now?.connections.some(({ key }) => key === one.key),
      ),
      ...old.rules.filter(
        (one) =>
          !isDeclared(declared?.rules, one.name) &&
          !now?.rules.includes(one) &&
          !now?.rules.some(({ name }) => name === one.name),
      ),
    ].map(({ name }) => name);
  });
}

/** Order and numbers of keys depend on how often it broke off; nothing else does. */
function sorted(model: AzureModel) {
  const byName = <T extends { name: string }>(list: readonly T[]) =>
    list.toSorted((a, b) => a.name.toLowerCase().localeCompare(b.name.toLowerCase()));
  return byName(model.namespaces).map((namespace) => ({
    ...namespace,
    rules: byName(namespace.rules),
    connections: byName(namespace.connections).map((one) => ({ ...one, key: 0, rules: byName(one.rules) })),
  }));
}
