// Section manager of hcm.yaml as people write it, rightly and wrongly: what is declared, and for each mistake the
// place and the words.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { parseAzureSection, parseManagerSection } from '../../../../../src/lib/config/hcm-yaml/load.ts';
import { managerSectionData } from '../../../../../src/lib/config/hcm-yaml/write-manager.ts';
import { HcmError, type ErrorCode } from '../../../../../src/protocol/errors.ts';

const KEY = 'c2VjcmV0';
const STRING = `Endpoint=sb://my-relay.servicebus.windows.net/;SharedAccessKeyName=r;SharedAccessKey=${KEY}`;
const env = { RELAY: STRING, HCM_CONNECTION_STRING: STRING, HOST: 's3cret.corp', YES: 'true', EMPTY: '' };

const load = (text: string) => parseManagerSection(text, { file: 'hcm.yaml', env, folder: '/etc/hcm' });

async function failure(text: string, code: ErrorCode = 'HCM_CONFIG_INVALID'): Promise<string> {
  const error = await load(text).then(
    () => assert.fail('it was accepted'),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof HcmError, String(error));
  assert.equal(error.code, code);
  assert.ok(!error.message.includes(KEY), error.message);
  return error.message;
}

const listener = (yaml: string) => `manager:\n  listeners:\n    - connection: my-relay/a\n${indented(yaml)}`;
const forward = (yaml: string) => `manager:\n  forwards:\n    - connection: my-relay/a\n${indented(yaml)}`;

function indented(text: string): string {
  return text.replace(/^(?=.)/gm, ' '.repeat(6));
}

describe('section manager of hcm.yaml', () => {
  it('declares listeners with their limits, and targets by logical port', async () => {
    const { listeners, forwards } = await load(`
manager:
  listeners:
    - connection: my-relay/bridge
      connectionStringFile: listen.txt
      target: db.corp.local:5432
      allow: ["10.0.0.0/8:5432", db.corp.local:*]
      maxStreams: 100
      dialTimeout: 10s
      idleTimeout: 1h
      proxyProtocol: v2
    - connection: my-relay.servicebus.windows.net/web
      connectionString: \${RELAY}
      target: https://intranet/app/
      keepPath: \${YES}
      hostHeader: original
    - connection: my-relay/bridge2
      entra: true
      dialect: azbridge
      ports: {db: db:5432, dns: "udp:10.0.0.2:53", sock: "unix:app.sock", http: http://intranet/}
    - connection: my-relay/metadata
`);
    assert.deepEqual(forwards, []);
    const [raw, web, bridge, metadata] = listeners;
    assert.deepEqual(raw, {
      ...{ connection: 'my-relay/bridge', access: { kind: 'file', path: '/etc/hcm/listen.txt' } },
      ...{ targets: { dialect: 'raw', target: { kind: 'tcp', host: 'db.corp.local', port: 5432 } } },
      allow: [
        {
          ...{ text: '10.0.0.0/8:5432', host: { kind: 'net', address: '10.0.0.0', prefix: 8 } },
          ...{ fromPort: 5432, toPort: 5432 },
        },
        {
          text: 'db.corp.local:*',
          host: { kind: 'name', name: 'db.corp.local' },
          fromPort: 1,
          toPort: 65_535,
        },
      ],
      ...{ maxStreams: 100, dialTimeoutMs: 10_000, idleTimeoutMs: 3_600_000, proxyProtocol: 'v2' },
      ...{ keepPath: false, at: { line: 4, column: 19 } },
    });
    assert.deepEqual(web?.access, { kind: 'variable', name: 'RELAY', text: STRING });
    assert.deepEqual(
      [web.targets.dialect === 'raw' && web.targets.target, web.keepPath, web.hostHeader],
      [{ kind: 'http', secure: true, host: 'intranet', port: 443, basePath: '/app' }, true, 'original'],
    );
    assert.deepEqual(bridge?.access, { kind: 'entra' });
    assert.deepEqual(bridge.targets.dialect === 'azbridge' && [...bridge.targets.ports], [
      ['db', { kind: 'tcp', host: 'db', port: 5432 }],
      ['dns', { kind: 'udp', host: '10.0.0.2', port: 53 }],
      ['sock', { kind: 'unix', path: '/etc/hcm/app.sock' }],
      ['http', { kind: 'http', secure: false, host: 'intranet', port: 80, basePath: '' }],
    ]);
    assert.deepEqual([metadata?.access, metadata?.targets], [{ kind: 'azure' }, { dialect: 'raw' }]);
  });

  it('declares forwards: raw, HTTP, and by logical port', async () => {
    const { listeners, forwards } = await load(`
manager:
  listeners:
  forwards:
    - connection: my-relay/sql
      bind: 127.0.0.1:1433
      idleTimeout: 5m
    - {connection: my-relay/web, bind: "8080", http: true}
    - {connection: my-relay/any}
    - connection: my-relay/bridge2
      dialect: azbridge
      ports: {db: 127.0.0.1:5432, dns: "udp:5353", sock: "unix:/tmp/app.sock", any: "0"}
`);
    assert.deepEqual(listeners, []);
    assert.deepEqual(
      forwards.slice(0, 3).map(({ binds }) => binds),
      [
        { kind: 'raw', bind: { kind: 'tcp', host: '127.0.0.1', port: 1433 } },
        { kind: 'http', keepPath: false, bind: { kind: 'tcp', host: '127.0.0.1', port: 8080 } },
        { kind: 'raw' },
      ],
    );
    assert.equal(forwards[0]?.idleTimeoutMs, 300_000);
    const last = forwards[3]?.binds;
    assert.deepEqual(last?.kind === 'azbridge' && [...last.ports], [
      ['db', { kind: 'tcp', host: '127.0.0.1', port: 5432 }],
      ['dns', { kind: 'udp', host: '127.0.0.1', port: 5353 }],
      ['sock', { kind: 'unix', path: '/tmp/app.sock' }],
      ['any', { kind: 'tcp', host: '127.0.0.1', port: 0 }],
    ]);
  });

  for (const [written, wanted] of [
    ['tcp', { kind: 'tcp' }],
    ['http', { kind: 'http' }],
    ['{ http: /health?deep=1 }', { kind: 'http', path: '/health?deep=1' }],
    ['{ http: /, everySeconds: 5 }', { kind: 'http', path: '/', everyMs: 5_000 }],
    ['{ tcp: true, everySeconds: 30 }', { kind: 'tcp', everyMs: 30_000 }],
  ] as const) {
    it(`has the health check ${written}, and writes it as it was`, async () => {
      const text = listener(`target: http://a/app\nhealthCheck: ${written}\n`);
      const declared = await load(text);
      assert.deepEqual(declared.listeners[0]?.healthCheck, wanted);
      const again = await load(JSON.stringify(managerSectionData(declared)));
      assert.deepEqual(again.listeners[0]?.healthCheck, wanted);
    });
  }

  it('takes several local ports of one connection', async () => {
    const { forwards } = await load(
      'manager: {forwards: [{connection: my-relay/a, bind: "81"}, {connection: my-relay/a, bind: "82"}, {connection: my-relay/a}]}\n',
    );
    assert.equal(forwards.length, 3);
  });

  it('and section azure do not get into each other’s way', async () => {
    const both = `
azure:
  namespaces: {my-relay: {connections: {sql: {target: "\${NOT_SET}"}}}}
manager:
  listeners: [{connection: my-relay/sql}]
`;
    assert.equal((await load(both)).listeners.length, 1);
    const mistaken = 'azure: {namespaces: {my-relay: }}\nmanager: {listeners: [{conection: "${NOT_SET}"}]}\n';
    const azure = await parseAzureSection(mistaken, { file: 'hcm.yaml', env: {} });
    assert.equal(azure.namespaces.length, 1);
    assert.equal((await load('azure: {nonsense: 1}\nmanager: {forwards: }\n')).forwards.length, 0);
  });

  it('is as the documents show it', async () => {
    const page = readFileSync(new URL('../../../../../docs/hcm-yaml.md', import.meta.url), 'utf8');
    const [, example = ''] = /^```yaml\n(manager:[^]*?)^```/m.exec(page) ?? [];
    const { listeners, forwards } = await load(example);
    assert.ok(listeners.length > 1 && forwards.length > 1, `${listeners.length}, ${forwards.length}`);
  });

  for (const [what, text, message] of [
    ['an empty file', '', 'hcm.yaml is empty, so there is nothing to run.'],
    [
      'only the other section',
      'azure: {}\n',
      'hcm.yaml has no section "manager:", so there is nothing to run.',
    ],
    ['an empty section', 'manager:\n', 'hcm.yaml:1:9: manager: expected a mapping, found nothing'],
    [
      'an unknown key',
      'manager: {listener: []}\n',
      'hcm.yaml:1:11: manager: there is no key "listener"; did you mean "listeners"?',
    ],
    [
      'an unknown section',
      'manager: {}\nmanger: {}\n',
      'hcm.yaml:2:1: the file: there is no key "manger"; did you mean "manager"?',
    ],
    [
      'no connection',
      'manager: {listeners: [{target: "a:1"}]}\n',
      'hcm.yaml:1:23: manager.listeners.0: the key "connection" is missing',
    ],
  ] as const) {
    it(`is refused with ${what}`, async () => assert.equal(await failure(text), message));
  }

  it('names a variable that is missing', async () => {
    assert.equal(
      await failure(listener('connectionString: ${OTHER}\n'), 'HCM_VARIABLE_MISSING'),
      'hcm.yaml:4:25: OTHER is not set in the environment, or is empty.',
    );
  });

  for (const [what, yaml] of [
    ['a connection string itself', `connectionString: ${STRING}\n`],
    ['a variable with more around it', 'connectionString: ${RELAY};EntityPath=a\n'],
    ['a variable with a default', `connectionString: "\${RELAY:-${STRING}}"\n`],
    ['a number as connection string', 'connectionString: 5\n'],
  ] as const) {
    it(`is refused with ${what}, which is not shown`, async () =>
      assert.equal(
        await failure(listener(yaml)),
        'hcm.yaml:4:25: manager.listeners.0.connectionString: a secret does not stand in this file: write a variable such as ${HCM_CONNECTION_STRING}, or "connectionStringFile"',
      ));
  }

  for (const [what, text, message] of [
    [
      'a name without a namespace',
      'manager: {listeners: [{connection: db}]}\n',
      '1:36: manager.listeners.0.connection: expected NAMESPACE/NAME, and "db" is none',
    ],
    [
      'a name that Azure refuses',
      'manager: {forwards: [{connection: my-relay/a b}]}\n',
      '1:35: manager.forwards.0.connection: expected NAMESPACE/NAME, and "my-relay/a b" is none: only letters, digits and / _ - . are allowed in it',
    ],
    [
      'two ways to say who we are',
      listener('connectionStringFile: a\nentra: true\n'),
      '5:7: manager.listeners.0.entra: stands beside "connectionStringFile": one of the two is enough',
    ],
    [
      'a target that is none',
      listener('target: db\n'),
      '4:15: manager.listeners.0.target: expected HOST:PORT, unix:PATH or http://HOST:PORT/BASE, and "db" is none: it has no port; write HOST:PORT',
    ],
    [
      'a target from a variable that is none',
      listener('target: ${HOST}\n'),
      '4:15: manager.listeners.0.target: expected HOST:PORT, unix:PATH or http://HOST:PORT/BASE, and "${HOST}" is none: it has no port; write HOST:PORT',
    ],
    [
      'a raw UDP target',
      listener('target: udp:a:53\n'),
      '4:15: manager.listeners.0.target: a UDP target needs "dialect: azbridge" and a logical port in "ports"',
    ],
    [
      'ports of a raw listener',
      listener('ports: {db: "a:1"}\n'),
      '4:7: manager.listeners.0.ports: goes with "dialect: azbridge"; raw has one "target"',
    ],
    [
      'a target of an azbridge listener',
      listener('dialect: azbridge\ntarget: a:1\n'),
      '5:7: manager.listeners.0.target: goes with the dialect raw; azbridge has "ports"',
    ],
    [
      'an azbridge listener without ports',
      listener('dialect: azbridge\n'),
      '4:7: manager.listeners.0.dialect: azbridge needs "ports", such as ports: {db: "db.corp.local:5432"}',
    ],
    [
      'empty ports',
      listener('dialect: azbridge\nports: {}\n'),
      '5:14: manager.listeners.0.ports: expected a mapping such as {db: db.corp.local:5432, dns: udp:10.0.0.2:53}, and it is empty',
    ],
    [
      'an unknown dialect',
      listener('dialect: aztunnel\n'),
      '4:16: manager.listeners.0.dialect: expected raw or azbridge, found "aztunnel"',
    ],
    [
      'a port that is none',
      listener('dialect: azbridge\nports: {db: "a"}\n'),
      '5:19: manager.listeners.0.ports.db: expected HOST:PORT, udp:HOST:PORT or unix:PATH, and "a" is none: it has no port; write HOST:PORT',
    ],
    [
      'a name of a port that is none',
      listener('dialect: azbridge\nports: {"my db": "a:1"}\n'),
      '5:15: manager.listeners.0.ports.my db: cannot be its name: only letters, digits and / _ - . are allowed in it',
    ],
    [
      'an HTTP target of another name',
      listener('dialect: azbridge\nports: {web: http://a}\n'),
      '5:15: manager.listeners.0.ports.web: cannot be its name: requests come without a logical port: an HTTP target has the name http or https',
    ],
    [
      'two HTTP targets',
      listener('dialect: azbridge\nports: {http: http://a, https: https://a}\n'),
      '5:31: manager.listeners.0.ports.https: is a second HTTP target, and a connection can have one',
    ],
    [
      'HTTP keys without an HTTP target',
      listener('target: a:1\nkeepPath: true\n'),
      '5:7: manager.listeners.0.keepPath: goes with an http:// or https:// target',
    ],
    [
      'a Host that is none',
      listener('target: http://a\nhostHeader: a b\n'),
      '5:19: manager.listeners.0.hostHeader: expected original, HOST or HOST:PORT, found "a b"',
    ],
    [
      'a rule that allows nothing readable',
      listener('allow: [db]\n'),
      '4:15: manager.listeners.0.allow.0: expected HOST:PORT or 10.0.0.0/8:FROM-TO, and "db" is none: it does not end in :PORT, :FROM-TO or :*',
    ],
    [
      'no stream at all',
      listener('maxStreams: 0\n'),
      '4:19: manager.listeners.0.maxStreams: expected a number from 1 on, found 0 (in quotes it is a text)',
    ],
    [
      'half a stream',
      listener('maxStreams: 1.5\n'),
      '4:19: manager.listeners.0.maxStreams: expected a whole number such as 100, found 1.5 (in quotes it is a text)',
    ],
    [
      'a duration without a unit',
      listener('dialTimeout: "10"\n'),
      '4:20: manager.listeners.0.dialTimeout: expected a number and its unit such as 10s or 5m, found "10"',
    ],
    [
      'another version of the PROXY protocol',
      listener('proxyProtocol: v1\n'),
      '4:22: manager.listeners.0.proxyProtocol: expected v2, found "v1"',
    ],
    [
      'two listeners of one connection',
      'manager: {listeners: [{connection: my-relay/a}, {connection: MY-RELAY/A}]}\n',
      '1:62: manager.listeners.1.connection: "MY-RELAY/A" has a listener already, above',
    ],
    [
      'two listeners of one connection, once by its host',
      'manager: {listeners: [{connection: my-relay/a}, {connection: my-relay.servicebus.windows.net/a}]}\n',
      '1:62: manager.listeners.1.connection: "my-relay.servicebus.windows.net/a" has a listener already, above',
    ],
    [
      'two forwards that say the same',
      'manager: {forwards: [{connection: my-relay/a}, {connection: my-relay/A}]}\n',
      '1:61: manager.forwards.1.connection: "my-relay/A" stands here twice with the same binds; give each a port',
    ],
    [
      'a health check that is none',
      listener('target: a:1\nhealthCheck: ping\n'),
      '5:20: manager.listeners.0.healthCheck: expected tcp, http, {http: /health, everySeconds: 5} or {tcp: true, everySeconds: 5}, found "ping"',
    ],
    [
      'a health check of another type',
      listener('target: a:1\nhealthCheck: true\n'),
      '5:20: manager.listeners.0.healthCheck: expected a text or a mapping such as tcp or {http: /health, everySeconds: 5}, found true (in quotes it is a text)',
    ],
    [
      'a health check with an unknown key',
      listener('target: a:1\nhealthCheck: {tcp: true, every: 5}\n'),
      '5:32: manager.listeners.0.healthCheck: there is no key "every"; did you mean "everySeconds"?',
    ],
    [
      'a health check that says only how often',
      listener('target: a:1\nhealthCheck: {everySeconds: 5}\n'),
      '5:7: manager.listeners.0.healthCheck: needs one of the two, "tcp: true" or "http: /PATH"',
    ],
    [
      'a health check of two kinds',
      listener('target: a:1\nhealthCheck: {tcp: true, http: /}\n'),
      '5:7: manager.listeners.0.healthCheck: needs one of the two, "tcp: true" or "http: /PATH"',
    ],
    [
      'a health check that is off',
      listener('target: a:1\nhealthCheck: {tcp: false}\n'),
      '5:26: manager.listeners.0.healthCheck.tcp: is true, or is left out together with "healthCheck"',
    ],
    [
      'a health check without a pause',
      listener('target: a:1\nhealthCheck: {tcp: true, everySeconds: 0}\n'),
      '5:46: manager.listeners.0.healthCheck.everySeconds: expected a number from 1 on, found 0 (in quotes it is a text)',
    ],
    [
      'a health check once a day',
      listener('target: a:1\nhealthCheck: {tcp: true, everySeconds: 86400}\n'),
      '5:46: manager.listeners.0.healthCheck.everySeconds: expected a number up to 3600, found 86400 (in quotes it is a text)',
    ],
    [
      'a health check whose path is none',
      listener('target: http://a\nhealthCheck: {http: health}\n'),
      '5:27: manager.listeners.0.healthCheck.http: expected a path such as /health, percent-encoded, found "health"',
    ],
    [
      'a health check by HTTP of a socket',
      listener('target: unix:a.sock\nhealthCheck: http\n'),
      '5:7: manager.listeners.0.healthCheck: http goes with HOST:PORT and http(s):// targets; a Unix socket is asked by tcp',
    ],
    [
      'a health check by HTTP of logical ports',
      listener('dialect: azbridge\nports: {db: "a:1"}\nhealthCheck: http\n'),
      '6:7: manager.listeners.0.healthCheck: http goes with the dialect raw; the targets of azbridge are asked by tcp',
    ],
    [
      'a health check of UDP',
      listener('dialect: azbridge\nports: {db: "a:1", dns: "udp:a:53"}\nhealthCheck: tcp\n'),
      '6:7: manager.listeners.0.healthCheck: cannot ask the UDP target of "dns" whether it is there',
    ],
    [
      'a bind that is none',
      forward('bind: x:y\n'),
      '4:13: manager.forwards.0.bind: expected [ADDR:]PORT or unix:PATH, and "x:y" is none: the port is not a number from 0 to 65535',
    ],
    [
      'a raw UDP bind',
      forward('bind: udp:53\n'),
      '4:13: manager.forwards.0.bind: a UDP port needs "dialect: azbridge" and a logical port in "ports"',
    ],
    [
      'http in azbridge',
      forward('dialect: azbridge\nhttp: true\nports: {db: "1"}\n'),
      '5:7: manager.forwards.0.http: goes with the dialect raw',
    ],
    [
      'keepPath without HTTP',
      forward('keepPath: true\n'),
      '4:7: manager.forwards.0.keepPath: goes with "http: true"',
    ],
    [
      'an address that is bound twice',
      'manager: {forwards: [{connection: my-relay/a, bind: "80"}, {connection: my-relay/b, bind: 127.0.0.1:80}]}\n',
      '1:91: manager.forwards.1.bind: "127.0.0.1:80" is bound already, above',
    ],
  ] as const) {
    it(`is refused with ${what}`, async () => assert.equal(await failure(text), `hcm.yaml:${message}`));
  }
});
