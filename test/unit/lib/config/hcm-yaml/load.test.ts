// hcm.yaml as people write it, rightly and wrongly: what is declared, and for each mistake the place and the words.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { parseAzureSection } from '../../../../../src/lib/config/hcm-yaml/load.ts';
import { HcmError, type ErrorCode } from '../../../../../src/protocol/errors.ts';

const env = { DB: 'db.corp.local', SECRET: 's3cret', YES: 'true', NS: 'my-relay', EMPTY: '' };

const load = (text: string) => parseAzureSection(text, { file: 'hcm.yaml', env });

async function failure(text: string, code: ErrorCode = 'HCM_CONFIG_INVALID'): Promise<string> {
  const error = await load(text).then(
    () => assert.fail('it was accepted'),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof HcmError, String(error));
  assert.equal(error.code, code);
  return error.message;
}

/** Below one namespace. */
const inNamespace = (yaml: string) => `azure:\n  namespaces:\n    my-relay:\n${indented(yaml, 6)}`;
/** Below one connection. */
const inConnection = (yaml: string) => inNamespace(`connections:\n  sql:\n${indented(yaml, 4)}`);

function nested(levels: number): string {
  return `azure: ${'['.repeat(levels)}${']'.repeat(levels)}\n`;
}

function indented(text: string, by: number): string {
  return text.replace(/^(?=.)/gm, ' '.repeat(by));
}

describe('hcm.yaml', () => {
  for (const [what, text] of [
    ['behind the sign of a block', 'azure:\n  key: |s3cr3t-text\n'],
    ['that is no YAML', 'azure: {a: 1}} s3cr3t-text\n'],
    ['with a tag that is unknown', 'azure: !tag s3cr3t-text\n'],
  ] as const) {
    it(`does not repeat text ${what}`, async () => {
      assert.doesNotMatch(await failure(text), /s3cr3t/);
    });
  }

  it('declares namespaces, connections, rules and apps', async () => {
    const azure = await load(`
azure:
  subscription: Local
  resourceGroup: group
  location: westeurope
  namespaces:
    my-relay:
      tags: {team: data}
      rules: {all: [Listen, Send, Manage]}
      connections:
        sql:
          target: db.corp.local:1433
          requiresClientAuthorization: true
          rules: {ops: [Listen]}
          apps: [my-app, my-app/staging, {name: f, resourceGroup: x, subscription: y, slot: z}]
    other-relay:
      resourceGroup: elsewhere
`);
    assert.deepEqual(azure, {
      subscription: 'Local',
      namespaces: [
        {
          ...{ name: 'my-relay', resourceGroup: 'group', location: 'westeurope', tags: { team: 'data' } },
          rules: [{ name: 'all', rights: ['Listen', 'Send', 'Manage'] }],
          connections: [
            {
              ...{ name: 'sql', target: { host: 'db.corp.local', port: 1433 } },
              requiresClientAuthorization: true,
              rules: [{ name: 'ops', rights: ['Listen'] }],
              apps: [
                { name: 'my-app', at: { line: 15, column: 18 } },
                { name: 'my-app', slot: 'staging', at: { line: 15, column: 26 } },
                {
                  ...{ name: 'f', resourceGroup: 'x', subscription: 'y', slot: 'z' },
                  at: { line: 15, column: 42 },
                },
              ],
              at: { line: 11, column: 9 },
            },
          ],
          at: { line: 7, column: 5 },
        },
        {
          ...{ name: 'other-relay', resourceGroup: 'elsewhere', location: 'westeurope', tags: {} },
          ...{ rules: [], connections: [], at: { line: 16, column: 5 } },
        },
      ],
    });
  });

  it('is as the documents show it', async () => {
    const page = readFileSync(new URL('../../../../../docs/hcm-yaml.md', import.meta.url), 'utf8');
    const [, example = ''] = /^```yaml\n([^]*?)^```/m.exec(page) ?? [];
    const { namespaces } = await load(example);
    assert.deepEqual(
      namespaces[0]?.connections.map(({ name, target }) => [name, target?.port]),
      [
        ['sql', 1433],
        ['metrics', 9090],
      ],
    );
  });

  it('takes names that stand for themselves, and leaves open what is not said', async () => {
    const azure = await load(
      'azure:\n  namespaces:\n    my-relay:\n      connections: {echo: , 443: {target: "[fd00::1]:22"}}\n',
    );
    const [namespace] = azure.namespaces;
    assert.deepEqual(
      namespace?.connections.map(({ name, target }) => [name, target]),
      [
        ['443', { host: 'fd00::1', port: 22 }],
        ['echo', undefined],
      ],
    );
    assert.equal(namespace.resourceGroup, undefined);
  });

  it('fills variables in, in keys and values of its section only', async () => {
    const azure = await load(`
manager: {key: "\${NOT_SET}"}
azure:
  namespaces:
    \${NS}:
      tags: {price: "$$5", yes: "\${YES}"}
      connections:
        sql:
          target: \${DB}:\${PORT:-1433}
          requiresClientAuthorization: \${YES}
x-\${NOT_SET}: {}
`);
    const [namespace] = azure.namespaces;
    assert.equal(namespace?.name, 'my-relay');
    assert.deepEqual(namespace.tags, { price: '$5', yes: 'true' });
    assert.deepEqual(namespace.connections[0]?.target, { host: 'db.corp.local', port: 1433 });
    assert.equal(namespace.connections[0].requiresClientAuthorization, true);
  });

  it('knows anchors and merge keys, which may stand below x-', async () => {
    const azure = await load(`
x-sql: &sql
  target: \${DB}:1433
  rules: {ops: [Listen]}
azure:
  namespaces:
    my-relay:
      connections:
        one: *sql
        two: {<<: *sql, target: "other:1"}
`);
    const [one, two] = azure.namespaces[0]?.connections ?? [];
    assert.deepEqual(one?.target, { host: 'db.corp.local', port: 1433 });
    assert.deepEqual(two?.target, { host: 'other', port: 1 });
    assert.deepEqual(two.rules, [{ name: 'ops', rights: ['Listen'] }]);
  });

  it('names all variables that are missing, each once, with its place', async () => {
    const text = inConnection('target: ${HOST}:${PORT}\napps: ["${EMPTY}", "${HOST}"]\n');
    assert.equal(
      await failure(text, 'HCM_VARIABLE_MISSING'),
      [
        'hcm.yaml uses 3 variables that are not set in the environment, or are empty:',
        '  hcm.yaml:6:19: HOST',
        '  hcm.yaml:6:19: PORT',
        '  hcm.yaml:7:18: EMPTY',
      ].join('\n'),
    );
    assert.equal(
      await failure(inConnection('target: ${HOST}:1'), 'HCM_VARIABLE_MISSING'),
      'hcm.yaml:6:19: HOST is not set in the environment, or is empty.',
    );
  });

  it('tells all mistakes at once, in their order', async () => {
    const text = 'azure:\n  namespace: x\n  location: [1]\n  namespaces:\n    my-relay: {conections: {}}\n';
    assert.equal(
      await failure(text),
      [
        'hcm.yaml has 3 mistakes:',
        '  hcm.yaml:2:3: azure: there is no key "namespace"; did you mean "namespaces"?',
        '  hcm.yaml:3:13: azure.location: expected a text such as westeurope, found a list',
        '  hcm.yaml:5:16: azure.namespaces.my-relay: there is no key "conections"; did you mean "connections"?',
      ].join('\n'),
    );
  });

  for (const [what, text, message] of [
    ['an empty file', '', 'hcm.yaml is empty, so it declares nothing in Azure.'],
    ['only a comment', '# nothing\n', 'hcm.yaml is empty, so it declares nothing in Azure.'],
    [
      'no section azure',
      'manager: {}\n',
      'hcm.yaml has no section "azure:", so it declares nothing in Azure.',
    ],
    ['a text', 'hello\n', 'hcm.yaml:1:1: the file: expected a mapping, found "hello"'],
    ['no namespaces', 'azure: {}\n', 'hcm.yaml:1:8: azure: the key "namespaces" is missing'],
    ['an empty section', 'azure:\n', 'hcm.yaml:1:7: azure: expected a mapping, found nothing'],
    [
      'an unknown section',
      'azure: {namespaces: {}}\nazur: {}\n',
      'hcm.yaml:2:1: the file: there is no key "azur"; did you mean "azure"?',
    ],
  ] as const) {
    it(`is refused with ${what}`, async () => assert.equal(await failure(text), message));
  }

  for (const [what, text, message] of [
    ['a bracket that is not closed', 'azure: {namespaces: [\n', /^hcm\.yaml:2:1: /],
    ['tabs', 'azure:\n\tnamespaces: {}\n', /^hcm\.yaml:2:1: Tabs are not allowed as indentation/],
    ['two documents', 'azure: {}\n---\nazure: {}\n', /^hcm\.yaml:2:1: a second document begins here/],
    ['an unknown tag', 'azure: !secret x\n', /^hcm\.yaml:1:8: Unresolved tag: !secret/],
    ['a key that stands twice', 'azure: {}\nazure: {}\n', /^hcm\.yaml:2:1: Map keys must be unique/],
    [
      'an IPv6 target without quotes',
      inConnection('target: [fd00::1]:1433\n'),
      /^hcm\.yaml:6:28: .*write an IPv6 target in quotes: "\[fd00::1\]:1433"$/,
    ],
    [
      'a variable without quotes in a list',
      inConnection('target: a:1\napps: [x, ${APP}]\n'),
      /^hcm\.yaml:7:\d+: .*write a variable in quotes: "\$\{NAME\}"$/,
    ],
    ['lists nested too deeply', nested(2_000), /^hcm\.yaml:1:\d+: the file is nested too deeply$/],
    [
      'an alias without an anchor',
      'azure: *nothing\n',
      /^hcm\.yaml:1:8: the alias \*nothing has no anchor &nothing before it$/,
    ],
    [
      'a circle',
      'azure: &a\n  namespaces: *a\n',
      /^hcm\.yaml:2:15: the alias \*a stands inside its own anchor$/,
    ],
    ['a list as a key', 'azure:\n  ? [a]\n  : b\n', /^hcm\.yaml:2:5: a key must be a text/],
    [
      'a merge of a text',
      'azure:\n  <<: hello\n  namespaces: {}\n',
      /^hcm\.yaml:2:7: what "<<" merges in is no mapping$/,
    ],
    [
      'what is no variable',
      inConnection('target: ${DB-x}:1\n'),
      /^hcm\.yaml:6:19: "\$\{DB-x\}" is no variable: expected \$\{NAME\} or \$\{NAME:-default\}; \$\$ is a \$ sign$/,
    ],
  ] as const) {
    it(`is refused with ${what}`, async () => assert.match(await failure(text), message));
  }

  it('is refused when a few aliases stand for billions of values', async () => {
    const lines = Array.from(
      { length: 30 },
      (_, level) => `x-${level}: &l${level} [${level === 0 ? '1' : `*l${level - 1}, *l${level - 1}`}]`,
    );
    assert.match(
      await failure(`${lines.join('\n')}\nazure: {namespaces: {}}\n`),
      /has more than 20000 values$/,
    );
  });

  for (const [what, text, message] of [
    [
      'a number as a target',
      inConnection('target: 1433\n'),
      '6:19: azure.namespaces.my-relay.connections.sql.target: expected a text such as db.corp.local:1433 or [fd00::1]:1433, found 1433 (in quotes it is a text)',
    ],
    [
      'a target without a port',
      inConnection('target: db\n'),
      '6:19: azure.namespaces.my-relay.connections.sql.target: expected HOST:PORT such as db.corp.local:1433, and "db" is none: it has no port; write HOST:PORT',
    ],
    [
      'an IPv6 target without brackets',
      inConnection('target: fd00::1:22\n'),
      '6:19: azure.namespaces.my-relay.connections.sql.target: expected HOST:PORT such as db.corp.local:1433, and "fd00::1:22" is none: an IPv6 address stands in brackets; write [IPV6]:PORT',
    ],
    [
      'a text as a truth value',
      inConnection('requiresClientAuthorization: "yes"\n'),
      '6:40: azure.namespaces.my-relay.connections.sql.requiresClientAuthorization: expected true or false, found "yes"',
    ],
    [
      'an unknown right',
      inConnection('rules: {ops: [listen]}\n'),
      '6:25: azure.namespaces.my-relay.connections.sql.rules.ops.0: expected Listen, Send or Manage, found "listen"',
    ],
    [
      'a rule without rights',
      inConnection('rules: {ops: []}\n'),
      '6:24: azure.namespaces.my-relay.connections.sql.rules.ops: expected a list such as [Listen], and it is empty',
    ],
    [
      'a right twice',
      inConnection('rules: {ops: [Send, Send]}\n'),
      '6:24: azure.namespaces.my-relay.connections.sql.rules.ops: the same thing stands here twice',
    ],
    [
      'Manage alone',
      inConnection('rules: {ops: [Manage]}\n'),
      '6:24: azure.namespaces.my-relay.connections.sql.rules.ops: Manage stands with the others only: expected [Listen, Send, Manage]',
    ],
    [
      'a bad name of a rule',
      inConnection('rules: {"a b": [Send]}\n'),
      '6:19: azure.namespaces.my-relay.connections.sql.rules: "a b" cannot be a name: only letters, digits and . - _ are allowed in it',
    ],
    [
      'a short name of a namespace',
      'azure: {namespaces: {abc: }}\n',
      '1:22: azure.namespaces: "abc" cannot be a name: it has 3 characters, and at least 6 are needed',
    ],
    [
      'a bad name of a connection',
      inNamespace('connections: {a//b: }\n'),
      '4:21: azure.namespaces.my-relay.connections: "a//b" cannot be a name: it starts or ends with "/", or holds "//"',
    ],
    [
      'a bad name of a resource group',
      inNamespace('resourceGroup: a/b\n'),
      '4:22: azure.namespaces.my-relay.resourceGroup: "a/b" cannot be used: only letters, digits and . - _ ( ) are allowed in it',
    ],
    [
      'a namespace twice',
      'azure: {namespaces: {my-relay: , MY-RELAY: }}\n',
      '1:34: azure.namespaces: "MY-RELAY" stands here twice: in Azure, names have no case',
    ],
    [
      'a connection twice',
      inNamespace('connections: {sql: , Sql: }\n'),
      '4:28: azure.namespaces.my-relay.connections: "Sql" stands here twice: in Azure, names have no case',
    ],
    [
      'a tag twice',
      inNamespace('tags: {a: b, A: c}\n'),
      '4:20: azure.namespaces.my-relay.tags: "A" stands here twice: in Azure, names have no case',
    ],
    [
      'a tag that is a number',
      inNamespace('tags: {a: 5}\n'),
      '4:17: azure.namespaces.my-relay.tags.a: expected a text, found 5 (in quotes it is a text)',
    ],
    [
      'an app twice',
      inConnection('target: a:1\napps: [one, one]\n'),
      '7:23: azure.namespaces.my-relay.connections.sql.apps.1: the app "one" stands here twice',
    ],
    [
      'an app with two slots',
      inConnection('target: a:1\napps: [a/b/c]\n'),
      '7:18: azure.namespaces.my-relay.connections.sql.apps.0: expected APP or APP/SLOT, found "a/b/c"',
    ],
    [
      'an app without a name',
      inConnection('target: a:1\napps: [{slot: b}]\n'),
      '7:18: azure.namespaces.my-relay.connections.sql.apps.0: the key "name" is missing',
    ],
    [
      'apps without a target',
      inConnection('apps: [one]\n'),
      '6:17: azure.namespaces.my-relay.connections.sql.apps: apps can be attached only where "target" is declared',
    ],
    [
      'apps where senders need no token',
      inConnection('target: a:1\nrequiresClientAuthorization: false\napps: [one]\n'),
      '8:17: azure.namespaces.my-relay.connections.sql.apps: App Service needs "requiresClientAuthorization: true"',
    ],
    [
      'apps on a name with a slash',
      inNamespace('connections: {a/b: {target: "a:1", apps: [x]}}\n'),
      '4:48: azure.namespaces.my-relay.connections.a/b.apps: App Service takes no connection with "/" in its name',
    ],
    [
      'a sender that may not send',
      inConnection('target: a:1\nrules: {DefaultSender: [Listen]}\napps: [one]\n'),
      '8:17: azure.namespaces.my-relay.connections.sql.apps: apps sign in with defaultSender: it needs the right Send',
    ],
  ] as const) {
    it(`is refused with ${what}`, async () => assert.equal(await failure(text), `hcm.yaml:${message}`));
  }

  it('never shows what came from a variable', async () => {
    for (const text of [
      inConnection('target: ${SECRET}\n'),
      inConnection('target: a:1\napps: ["${SECRET}/${SECRET}/x"]\n'),
      inConnection('requiresClientAuthorization: ${SECRET}\n'),
      inConnection('rules: {ops: ["${SECRET}"]}\n'),
      inNamespace('resourceGroup: ${SECRET}/\n'),
      'azure: {namespaces: {"${SECRET}/x": }}\n',
    ]) {
      const message = await failure(text);
      assert.ok(!message.includes('s3cret'), message);
      assert.match(message, /\$\{SECRET\}/);
    }
  });
});
