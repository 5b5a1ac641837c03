// Arbitrary declarations, and arbitrary worlds of few names, so that what is declared and what exists meet often.
import fc from 'fast-check';
import type {
  AppDeclaration,
  AzureDeclaration,
  ConnectionDeclaration,
  NamespaceDeclaration,
  Right,
  RuleDeclaration,
} from '../../../../../src/lib/config/hcm-yaml/declaration.ts';
import { sameApp, sameName } from '../../../../../src/lib/services/apply/existing.ts';
import { AzureModel, LOCATION, type ModelConnection, type ModelNamespace } from './azure-model.ts';

const target = fc.constantFrom(
  { host: 'db', port: 1433 },
  { host: 'web', port: 80 },
  { host: 'fd00::1', port: 22 },
);
const rights = fc.constantFrom<Right[]>(
  ['Listen'],
  ['Send'],
  ['Listen', 'Send'],
  ['Listen', 'Send', 'Manage'],
);
const tags = fc.dictionary(fc.constantFrom('team', 'cost'), fc.constantFrom('a', 'b'), { maxKeys: 2 });
const namespaceName = fc.constantFrom('first-relay', 'second-relay', 'Third-Relay');
const connectionName = fc.constantFrom('sql', 'Web', 'deep/er');

function rulesNamed(...names: string[]): fc.Arbitrary<RuleDeclaration[]> {
  return fc.uniqueArray(fc.record({ name: fc.constantFrom(...names), rights }), {
    maxLength: names.length,
    selector: ({ name }) => name.toLowerCase(),
  });
}

function optional<K extends string, T>(key: K, value: fc.Arbitrary<T>): fc.Arbitrary<{ [_ in K]?: T }> {
  return fc.oneof(
    fc.constant({}),
    value.map((one) => ({ [key]: one }) as { [_ in K]: T }),
  );
}

function listOf<T extends { name: string }>(item: fc.Arbitrary<T>): fc.Arbitrary<T[]> {
  return fc.uniqueArray(item, { maxLength: 3, selector: ({ name }) => name.toLowerCase() });
}

const app: fc.Arbitrary<AppDeclaration> = fc
  .tuple(fc.constantFrom('one', 'two', 'Three'), optional('slot', fc.constantFrom('staging')))
  .map(([name, slot]) => ({ name, ...slot }));

/** What loading a file lets through: apps only where there is a target, and a sender may send. */
const connection: fc.Arbitrary<ConnectionDeclaration> = fc
  .tuple(
    connectionName,
    optional('target', target),
    optional('requiresClientAuthorization', fc.boolean()),
    rulesNamed('own', 'DefaultListener'),
    fc.array(app, { maxLength: 3 }),
  )
  .map(([name, to, authorization, rules, apps]) => {
    const attachable =
      to.target !== undefined && authorization.requiresClientAuthorization !== false && !name.includes('/');
    return { name, ...to, ...authorization, rules, apps: attachable ? apps : [] };
  });

const namespace: fc.Arbitrary<NamespaceDeclaration> = fc.record({
  name: namespaceName,
  tags,
  rules: rulesNamed('shared'),
  connections: listOf(connection),
});

export const declarations: fc.Arbitrary<AzureDeclaration> = fc.record({ namespaces: listOf(namespace) });

const modelConnection: fc.Arbitrary<Omit<ModelConnection, 'key'>> = fc.record({
  name: fc.oneof(connectionName, fc.constant('foreign')),
  target: fc.option(target, { nil: undefined }),
  requiresClientAuthorization: fc.boolean(),
  rules: rulesNamed('own', 'defaultListener', 'DefaultSender', 'foreign'),
});

interface Seed extends Omit<ModelNamespace, 'connections'> {
  connections: Omit<ModelConnection, 'key'>[];
}

const seed: fc.Arbitrary<Seed> = fc.record({
  name: namespaceName.map((name) => name.toLowerCase()),
  location: fc.constant(LOCATION),
  tags,
  rules: rulesNamed('Shared', 'foreign'),
  connections: listOf(modelConnection),
  others: fc.constantFrom([], [], ['WCF relay old']),
});

const attachment = fc.record({
  ...{ app, namespace: namespaceName, connection: connectionName, target, stale: fc.boolean() },
});

/** A function, since a model is changed by a test and must be new for each of its runs. */
export const worlds: fc.Arbitrary<() => AzureModel> = fc
  .tuple(listOf(seed), fc.array(attachment, { maxLength: 4 }))
  .map(([seeds, attachments]) => () => {
    const model = new AzureModel();
    model.namespaces = seeds.map((one) => ({
      ...one,
      connections: one.connections.map((inner) => ({ ...inner, key: model.newKey() })),
    }));
    for (const { app: declared, stale, ...rest } of attachments) {
      const ref = AzureModel.appRef(declared);
      const twice = model.attachments.some(
        (one) =>
          sameApp(one.app, ref) &&
          sameName(one.namespace, rest.namespace) &&
          sameName(one.connection, rest.connection),
      );
      const found = model.namespaces
        .find(({ name }) => sameName(name, rest.namespace))
        ?.connections.find(({ name }) => sameName(name, rest.connection));
      if (!twice) model.attachments.push({ ...rest, app: ref, key: stale ? -1 : (found?.key ?? 0) });
    }
    return model;
  });
