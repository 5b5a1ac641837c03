// What Microsoft's manager leaves behind: the new one's connections.json, in the shape of its prototype, and the classic
// one's XML. What becomes of it, what is warned of, and what is refused.
import assert from 'node:assert/strict';
import { parseManagerSection } from '../../../../../src/lib/config/hcm-yaml/load.ts';
import { managerSectionData } from '../../../../../src/lib/config/hcm-yaml/write-manager.ts';
import { formatYaml } from '../../../../../src/lib/config/hcm-yaml/write.ts';
import { importHcm } from '../../../../../src/lib/services/import/import-hcm.ts';
import { HcmError } from '../../../../../src/protocol/errors.ts';

const KEY = 'c2VjcmV0LXNlY3JldC1zZWNyZXQ=';

const DB = {
  Namespace: 'my-relay',
  Name: 'db',
  Uri: 'sb://my-relay.servicebus.windows.net/db',
  KeyName: 'defaultListener',
  KeyValue: KEY,
  EndpointHost: 'db.corp.local',
  EndpointPort: 5432,
  ResourceGroup: null,
  SubscriptionId: null,
  Status: 'Connected',
  CreatedOn: '1/1/2026 00:00:00',
  LastUpdated: '1/1/2026 00:00:00',
  NumberOfListeners: 1,
};

const importText = (text: string) =>
  importHcm(text, {
    file: 'connections.json',
    accessOf: ({ name }) => ({ kind: 'file', path: `${name}.connection-string` }),
  });
const importData = (data: unknown) => importText(JSON.stringify(data, undefined, 2));
const listeners = (data: unknown) =>
  (managerSectionData(importData(data).manager).manager as { listeners: object[] }).listeners;
const warnings = (imported: ReturnType<typeof importHcm>) =>
  imported.warnings.map(({ at, key, message }) => `${at?.line}:${at?.column} ${key}: ${message}`);

function failure(text: string): string {
  try {
    importText(text);
  } catch (error) {
    assert.ok(error instanceof HcmError && error.code === 'HCM_CONFIG_INVALID', String(error));
    assert.ok(!error.message.includes(KEY), error.message);
    return error.message;
  }
  return assert.fail('it was accepted');
}

describe("the connections of Microsoft's manager", () => {
  it('become listeners with their target, and a key in a file of its own', async () => {
    const imported = importData([DB, { ...DB, Name: 'sub/web', Uri: undefined, EndpointPort: 80 }]);
    assert.deepEqual(managerSectionData(imported.manager).manager, {
      listeners: [
        {
          connection: 'my-relay/db',
          connectionStringFile: 'db.connection-string',
          target: 'db.corp.local:5432',
        },
        {
          connection: 'my-relay/sub/web',
          connectionStringFile: 'sub-web.connection-string',
          target: 'db.corp.local:80',
        },
      ],
    });
    assert.equal(
      imported.secrets[0]?.connectionString,
      `Endpoint=sb://my-relay.servicebus.windows.net/;SharedAccessKeyName=defaultListener;SharedAccessKey=${KEY};EntityPath=db`,
    );
    assert.deepEqual(imported.warnings, []);
    const yaml = formatYaml(managerSectionData(imported.manager));
    assert.ok(!yaml.includes(KEY));
    const again = await parseManagerSection(yaml, { file: 'hcm.yaml', env: {}, folder: '/' });
    assert.equal(again.listeners.length, 2);
  });

  it('of another cloud keep their host', () => {
    const [one] = listeners([{ ...DB, Uri: 'sb://my-relay.servicebus.usgovcloudapi.net/db' }]);
    assert.equal((one as { connection: string }).connection, 'my-relay.servicebus.usgovcloudapi.net/db');
  });

  it('are found in any case, with a byte order mark, below one key, and alone', () => {
    const lower = Object.fromEntries(Object.entries(DB).map(([key, value]) => [key.toLowerCase(), value]));
    for (const data of [[lower], { connections: [DB] }, DB]) assert.equal(listeners(data).length, 1);
    assert.equal(importText(`\uFEFF${JSON.stringify([DB])}`).manager.listeners.length, 1);
  });

  it('with an IPv6 target, and with the target in one text', () => {
    const [ipv6] = listeners([{ ...DB, EndpointHost: 'fd00::1' }]) as { target: string }[];
    const [text] = listeners([{ ...DB, EndpointHost: null, EndpointPort: 0, Endpoint: 'web:80' }]) as {
      target: string;
    }[];
    assert.deepEqual([ipv6?.target, text?.target], ['[fd00::1]:5432', 'web:80']);
  });

  it('without a target, without a key, twice, or with a key of tomorrow: taken over, and told with the line', () => {
    const bare = { ...DB, EndpointHost: undefined, EndpointPort: undefined };
    const imported = importData([
      { ...bare, Name: 'a', KeyValue: '' },
      { ...DB, Tomorrow: 1 },
      { ...DB, Name: 'DB' },
    ]);
    assert.deepEqual(
      imported.manager.listeners.map(({ connection, access }) => [connection, access.kind]),
      [
        ['my-relay/a', 'azure'],
        ['my-relay/db', 'file'],
      ],
    );
    const told = warnings(imported);
    assert.equal(told.length, 4);
    assert.match(told[0] ?? '', /^2:3 EndpointHost: no target is known: Azure is asked/);
    assert.match(told[1] ?? '', /^7:5 KeyValue: has no key: Azure is asked for one/);
    assert.match(told[2] ?? '', /Tomorrow: is not known here: left out$/);
    assert.match(told[3] ?? '', /Name: my-relay\/DB stands here again: the first one counts$/);
  });

  const REFUSED: [what: string, text: string, says: RegExp][] = [
    ['an empty list', '[]', /has no hybrid connection: there is nothing to import/],
    ['nothing', '', /nothing to import/],
    ['no JSON', '{"a": [', /connections\.json:1:/],
    ['something else', '{"a": 1}', /nothing to import/],
    ['a list of texts', '["a"]', /expected a mapping/],
    ['no name', JSON.stringify([{ Namespace: 'a' }]), /the name of the hybrid connection is missing/],
    ['no namespace', JSON.stringify([{ Name: 'a' }]), /neither Namespace nor Uri/],
    ['a bad name', JSON.stringify([{ ...DB, Name: 'a b' }]), /cannot name a hybrid connection/],
    ['a bad key', JSON.stringify([{ ...DB, KeyValue: `${KEY};x` }]), /KeyValue: /],
    ['a bad target', JSON.stringify([{ ...DB, EndpointPort: 99999 }]), /EndpointHost: /],
    ['a bad host', JSON.stringify([{ ...DB, Uri: 'sb://a b/db' }]), /Namespace|KeyValue/],
  ];
  for (const [what, text, says] of REFUSED) {
    it(`${what} is refused with its place`, () => assert.match(failure(text), says));
  }
});

describe("the classic manager's configuration", () => {
  const string = `Endpoint=sb://my-relay.servicebus.windows.net/;SharedAccessKeyName=defaultListener;SharedAccessKey=${KEY};EntityPath=db`;
  const xml = (inner: string) => `<?xml version="1.0" encoding="utf-8"?>
<configuration>
  <hybridConnections>
    <connectionStrings>
${inner}
    </connectionStrings>
  </hybridConnections>
</configuration>
`;

  it('gives its connection strings, whose targets Azure is asked for', () => {
    const imported = importText(
      xml(`      <!-- <hybridConnection connectionString="old" /> -->
      <hybridConnection connectionString="${string}" />
      <hybridConnection connectionString='${string.replace('EntityPath=db', 'EntityPath=a&#x2F;b')}'/>`),
    );
    assert.deepEqual(
      imported.manager.listeners.map(({ connection, targets }) => [connection, targets]),
      [
        ['my-relay/db', { dialect: 'raw' }],
        ['my-relay/a/b', { dialect: 'raw' }],
      ],
    );
    assert.equal(imported.secrets[0]?.connectionString, string);
    assert.match(warnings(imported)[0] ?? '', /^6:7 hybridConnection: no target is known/);
  });

  const REFUSED: [what: string, text: string, says: RegExp][] = [
    ['no connections', xml(''), /nothing to import/],
    ['an element without its string', xml('<hybridConnection x="1" />'), /5:1: hybridConnection: it has no/],
    [
      'a string without an entity',
      xml(`<hybridConnection connectionString="${string.replace(/;EntityPath.*/, '')}" />`),
      /no EntityPath/,
    ],
    ['a string that is none', xml(`<hybridConnection connectionString="${KEY}" />`), /connectionString: /],
    ['an encrypted section', xml('<EncryptedData Type="x">'), /encrypted: decrypt it first/],
  ];
  for (const [what, text, says] of REFUSED) {
    it(`${what} is refused with its place`, () => assert.match(failure(text), says));
  }
});
