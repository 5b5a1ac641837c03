// azbridge's configuration as its users have it: what becomes of every key, what is warned of, and what is refused.
import assert from 'node:assert/strict';
import { parseManagerSection } from '../../../../../src/lib/config/hcm-yaml/load.ts';
import { managerSectionData } from '../../../../../src/lib/config/hcm-yaml/write-manager.ts';
import { formatYaml } from '../../../../../src/lib/config/hcm-yaml/write.ts';
import { importAzbridge } from '../../../../../src/lib/services/import/import-azbridge.ts';
import { HcmError } from '../../../../../src/protocol/errors.ts';

const KEY = 'c2VjcmV0';
const STRING = `Endpoint=sb://my-relay.servicebus.windows.net/;SharedAccessKeyName=r;SharedAccessKey=${KEY}`;
const RELAY = `AzureRelayConnectionString : ${STRING}\n`;
const ENTRA = 'AzureRelayEndpoint : sb://my-relay.servicebus.windows.net\n';

function importText(text: string, namespace?: string) {
  return importAzbridge(text, {
    ...{ file: 'az.yml', namespace },
    accessOf: ({ name }) => ({ kind: 'file', path: `${name}.connection-string` }),
  });
}

/** The section that is written, without the key in front. */
function section(text: string, namespace?: string): unknown {
  return managerSectionData(importText(text, namespace).manager).manager;
}

function warnings(text: string): string[] {
  return importText(text).warnings.map(
    ({ at, key, message }) => `${at?.line}:${at?.column} ${key}: ${message}`,
  );
}

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

const forwardOf = (yaml: string) =>
  `${ENTRA}LocalForward:\n  - RelayName: a\n${yaml.replace(/^(?=.)/gm, '    ')}`;
const remoteOf = (yaml: string) =>
  `${ENTRA}RemoteForward:\n  - RelayName: a\n${yaml.replace(/^(?=.)/gm, '    ')}`;
const portsOf = (text: string) => {
  const { listeners = [], forwards = [] } = section(text) as Record<string, { ports: object }[]>;
  return [...listeners, ...forwards].map(({ ports }) => ports);
};

describe('the configuration of azbridge', () => {
  it('becomes listeners and forwards with logical ports', () => {
    const text = `# azbridge
${RELAY}
LocalForward :
   - BindAddress: 127.1.0.2
     BindPort: 13389
     PortName: rdp
     RelayName: box
RemoteForward :
   - RelayName: sub/db
     Bindings:
       - Host: broker.corp.example.com
         HostPort: 5671
         PortName: amqps
       - HostPort: -53
       - LocalSocket: /run/app.sock
         PortName: app
`;
    const base = { connectionStringFile: 'my-relay.connection-string', dialect: 'azbridge' };
    assert.deepEqual(section(text), {
      listeners: [
        {
          ...{ connection: 'my-relay/sub/db', ...base },
          ports: {
            amqps: 'broker.corp.example.com:5671',
            '53U': 'udp:localhost:53',
            app: 'unix:/run/app.sock',
          },
        },
      ],
      forwards: [{ connection: 'my-relay/box', ...base, ports: { rdp: '127.1.0.2:13389' } }],
    });
    assert.deepEqual(importText(text).secrets, [{ name: 'my-relay', connectionString: STRING }]);
    assert.deepEqual(warnings(text), []);
  });

  it('may be JSON, begin with a byte order mark, and have keys in any case', () => {
    const json = JSON.stringify({
      azurerelayendpoint: 'sb://my-relay.servicebus.windows.net/',
      localforward: [{ relayName: 'a', bindPort: 80, BINDADDRESS: '127.0.0.1' }],
    });
    assert.deepEqual(section(`\uFEFF${json}`), {
      forwards: [
        { connection: 'my-relay/a', entra: true, dialect: 'azbridge', ports: { 80: '127.0.0.1:80' } },
      ],
    });
  });

  it('is written so that it is read back as it was, whatever is in it', async () => {
    const { manager } = importText(`${RELAY}
LocalForward:
  - RelayName: a
    Bindings:
      - {BindAddress: "::1", BindPort: 1, PortName: x}
      - {BindAddress: 127.0.0.1, BindPort: -2}
      - {BindLocalSocket: "/tmp/$\${x}.sock", PortName: y}
RemoteForward:
  - {RelayName: a, Host: intranet, PortName: https, Http: true}
`);
    const text = formatYaml(managerSectionData(manager));
    const back = await parseManagerSection(text, { file: 'hcm.yaml', env: {}, folder: '/' });
    const comparable = ({ listeners, forwards }: typeof manager) => [
      listeners.map(({ connection, targets }) => [connection, targets]),
      forwards.map(({ connection, binds }) => [connection, binds]),
    ];
    assert.deepEqual(comparable(back), comparable(manager));
  });

  describe('has its keys', () => {
    it('in parts that override those of the connection string', () => {
      const { secrets } = importText(
        `${RELAY}AzureRelayEndpoint: "'sb://other.servicebus.windows.net/'"\nAzureRelaySharedAccessKeyName: two\nRemoteForward: [{RelayName: a, HostPort: 1}]\n`,
      );
      assert.deepEqual(secrets, [
        {
          name: 'other',
          connectionString: `Endpoint=sb://other.servicebus.windows.net/;SharedAccessKeyName=two;SharedAccessKey=${KEY}`,
        },
      ]);
    });

    it('of one forward before those of the file, named after the connection that they are for', () => {
      const own = STRING.replace('my-relay', 'own');
      const text = `${RELAY}RemoteForward:
  - {RelayName: a/b, HostPort: 1, ConnectionString: "${own};EntityPath=A/B"}
  - {RelayName: c, HostPort: 1, ConnectionString: "${own};EntityPath=else"}
  - {RelayName: d, HostPort: 1, ConnectionString: "${own.replace('=r;', '=q;')}"}
`;
      assert.deepEqual(
        importText(text).secrets.map(({ name, connectionString }) => [
          name,
          connectionString.replace(/.*=r/s, ''),
        ]),
        [
          ['a-b', `;SharedAccessKey=${KEY};EntityPath=A/B`],
          ['own', `;SharedAccessKey=${KEY}`],
          ['own-2', own.replace('=r;', '=q;')],
        ],
      );
      assert.deepEqual(warnings(text), [
        '4:6 RelayName: the connection string is for "else": RelayName wins, as in azbridge',
      ]);
    });

    it('not at all: then it is Entra ID, as in azbridge', () => {
      const { forwards } = section(
        'AzureRelayEndpoint: sb://ns.servicebus.usgovcloudapi.net/\nLocalForward: [{RelayName: a, BindAddress: 127.0.0.1, BindPort: 1}]\n',
      ) as { forwards: object[] };
      assert.deepEqual(forwards, [
        {
          ...{ connection: 'ns.servicebus.usgovcloudapi.net/a', entra: true, dialect: 'azbridge' },
          ports: { 1: '127.0.0.1:1' },
        },
      ]);
    });

    it('in a token, which ends', () => {
      const token = 'SharedAccessSignature sr=http%3a%2f%2fx&sig=y&se=1&skn=z';
      assert.deepEqual(
        warnings(
          `${ENTRA}AzureRelaySharedAccessSignature: ${token}\nRemoteForward: [{RelayName: a, HostPort: 1}]\n`,
        ),
        [
          '2:1 AzureRelaySharedAccessSignature: holds a token that ends at its time; a key or Entra ID goes on',
        ],
      );
    });

    it('left out for NoAuthentication', () => {
      const text = `${RELAY}LocalForward:
  - RelayName: a
    Bindings:
      - {BindAddress: 127.0.0.1, BindPort: 1}
      - {BindAddress: 127.0.0.1, BindPort: 2, NoAuthentication: true}
`;
      assert.deepEqual(importText(text).secrets, [
        { name: 'my-relay', connectionString: STRING },
        { name: 'my-relay-anonymous', connectionString: 'Endpoint=sb://my-relay.servicebus.windows.net/' },
      ]);
      const files = (section(text) as { forwards: { connectionStringFile: string }[] }).forwards;
      assert.deepEqual(
        files.map(({ connectionStringFile }) => connectionStringFile),
        ['my-relay.connection-string', 'my-relay-anonymous.connection-string'],
      );
    });

    it('elsewhere: then the namespace must be said', () => {
      const text = 'RemoteForward: [{RelayName: a, HostPort: 1}]\n';
      assert.equal(
        failure(text),
        'az.yml:1:18: RelayName: no relay is named, neither by a connection string nor by AzureRelayEndpoint: say it with --namespace NAME',
      );
      const { listeners } = section(text, 'my-relay') as { listeners: object[] };
      assert.deepEqual(listeners, [
        { connection: 'my-relay/a', entra: true, dialect: 'azbridge', ports: { 1: 'localhost:1' } },
      ]);
      const { secrets } = importText(
        `AzureRelaySharedAccessKeyName: r\nAzureRelaySharedAccessKey: ${KEY}\n${text}`,
        'my-relay',
      );
      assert.deepEqual(secrets, [{ name: 'my-relay', connectionString: STRING }]);
    });
  });

  describe('has ports', () => {
    for (const [what, text, wanted] of [
      [
        'of one name twice, in entries of their own',
        forwardOf(
          'Bindings:\n- {BindAddress: 127.0.0.1, BindPort: 1, PortName: x}\n- {BindAddress: 127.0.0.1, BindPort: 2, PortName: x}\n',
        ),
        [{ x: '127.0.0.1:1' }, { x: '127.0.0.1:2' }],
      ],
      ['without an address', forwardOf('BindPort: 1\n'), [{ 1: '127.0.0.1:1' }]],
      [
        'without an address, and GatewayPorts',
        `GatewayPorts: yes\n${forwardOf('BindPort: 1\n')}`,
        [{ 1: '0.0.0.0:1' }],
      ],
      [
        'on all addresses',
        forwardOf('Bindings: [{BindPort: 1, BindAddress: any}, {BindPort: 2, BindAddress: "::"}]\n'),
        [{ 1: '0.0.0.0:1', 2: '[::]:2' }],
      ],
      [
        'at localhost, and in brackets',
        forwardOf('Bindings: [{BindPort: 1, BindAddress: localhost}, {BindPort: 2, BindAddress: "[::1]"}]\n'),
        [{ 1: '127.0.0.1:1', 2: '[::1]:2' }],
      ],
      [
        'at a name',
        forwardOf('{BindPort: 1, BindAddress: db.local}\n'.replace(/[{}]/g, '').replace(', ', '\n')),
        [{ 1: 'db.local:1' }],
      ],
      [
        'of UDP, negative or with a U',
        forwardOf('Bindings: [{BindPort: -53, BindAddress: "::1"}, {BindPort: 123U}]\n'),
        [{ '53U': 'udp:[::1]:53', '123U': 'udp:127.0.0.1:123' }],
      ],
      [
        'that are sockets',
        forwardOf('BindLocalSocket: /tmp/a.sock\nBindPort: 1\n'),
        [{ '/tmp/a.sock': 'unix:/tmp/a.sock' }],
      ],
      [
        'of UDP targets',
        remoteOf('Bindings: [{HostPort: -53, Host: "fd00::1"}, {HostPort: 5U}]\n'),
        [{ '53U': 'udp:[fd00::1]:53', '5U': 'udp:localhost:5' }],
      ],
      [
        'of HTTP targets',
        remoteOf('Http: true\nHost: intranet\nPortName: http\n'),
        [{ http: 'http://intranet' }],
      ],
      [
        'of HTTP targets, by the port',
        remoteOf('Http: true\nHostPort: 443\nPath: app/\n'),
        [{ https: 'https://localhost/app' }],
      ],
      [
        'named http that are plain TCP',
        remoteOf('HostPort: 80\nPortName: http\n'),
        [{ http: 'localhost:80' }],
      ],
    ] as const) {
      it(what, () => assert.deepEqual(portsOf(text), wanted));
    }

    it('in several entries for one connection: one listener', () => {
      const text = `${ENTRA}RemoteForward:\n  - {RelayName: a, HostPort: 1}\n  - {RelayName: A, HostPort: 2}\n`;
      assert.deepEqual(portsOf(text), [{ 1: 'localhost:1', 2: 'localhost:2' }]);
    });
  });

  describe('has traps, of which is warned', () => {
    for (const [text, wanted] of [
      [
        'AddressFamily: inet',
        'AddressFamily: azbridge reads it and does nothing with it: left out; hcm takes whichever of IPv4 and IPv6 works',
      ],
      [
        'ConnectionAttempts: 3',
        'ConnectionAttempts: azbridge reads it and does nothing with it: left out; hcm tries until it succeeds, ever more slowly',
      ],
      [
        'ConnectTimeout: 5',
        'ConnectTimeout: azbridge reads it and does nothing with it: left out; hcm has --connect-timeout',
      ],
      [
        'ExitOnForwardFailure:',
        'ExitOnForwardFailure: empty it is true in azbridge, whatever its documents say: so it is in hcm, which ends when an address cannot be bound',
      ],
      [
        'ExitOnForwardFailure: false',
        'ExitOnForwardFailure: left out: hcm ends when an address cannot be bound or its first attempt is refused; --keep-trying goes on after a refusal',
      ],
      [
        'BindAddress: 10.0.0.1',
        'BindAddress: the source address of connections to targets: left out; the system chooses it',
      ],
      [
        'ClearAllForwardings: true',
        'ClearAllForwardings: is about files that azbridge reads before this one: left out',
      ],
      [
        'GatewayPorts: true',
        'GatewayPorts: counts for forwards without BindAddress: other machines can use them',
      ],
      [
        'KeepAliveInterval: 10',
        'KeepAliveInterval: left out: hcm keeps its connections alive by itself, see --keepalive',
      ],
      ['LogLevel: DEBUG3', 'LogLevel: left out: hcm has --verbose'],
      ['LogLevel: ERROR', 'LogLevel: left out: hcm has --quiet'],
      ['LogFileName: a.log', 'LogFileName: left out: send stderr of hcm, or stdout with --json, to a file'],
      [
        'AZURE_BRIDGE_CONNECTIONSTRING: x',
        "AZURE_BRIDGE_CONNECTIONSTRING: no key, and as a variable of the environment nothing reads it, whatever azbridge's documents say: left out",
      ],
      ['GatewayPort: true', 'GatewayPort: azbridge has no such key: left out; was GatewayPorts meant?'],
    ] as const) {
      it(text, () => {
        const file = `${text}\n${ENTRA}RemoteForward: [{RelayName: a, HostPort: 1}]\n`;
        assert.deepEqual(warnings(file), [`1:1 ${wanted}`]);
      });
    }

    for (const text of [
      'LogLevel: INFO',
      'KeepAliveInterval: 30',
      'ExitOnForwardFailure: true',
      'GatewayPorts: no',
      'AddressFamily:',
    ]) {
      it(`and not of ${text}`, () =>
        assert.deepEqual(warnings(`${text}\n${ENTRA}RemoteForward: [{RelayName: a, HostPort: 1}]\n`), []));
    }

    const bound = 'BindPort: 1\nBindAddress: 127.0.0.1\n';
    for (const [text, wanted] of [
      [
        forwardOf('BindPort: 1\n'),
        "4:5 BindPort: has no BindAddress: bound to 127.0.0.1; azbridge's documents have all addresses, 0.0.0.0",
      ],
      [
        forwardOf('BindPort: 1\nBindAddress: 0.0.0.0\n'),
        '5:5 BindAddress: all addresses: other machines can use this port',
      ],
      [
        forwardOf('BindPort: 1\nBindAddress: db.local\n'),
        '5:5 BindAddress: "db.local" is a name: it is looked up when hcm starts, and may become another address',
      ],
      [
        forwardOf('BindPort: 123U\nBindAddress: 127.0.0.1\n'),
        '4:5 BindPort: taken as UDP port 123; in a file azbridge wants -123, and reads "123U" as another port',
      ],
      [
        forwardOf(`${bound}HostName: x.y\n`),
        '6:5 HostName: a note of azbridge: left out; a line in the hosts file makes it a name of the bound address',
      ],
      [
        forwardOf(`${bound}RemoteHostName: x\n`),
        '6:5 RemoteHostName: stands in the documents of azbridge, which refuses it: left out',
      ],
      [
        forwardOf(`${bound}Bindports: x\n`),
        '6:5 Bindports: azbridge has no such key: left out; was BindPort meant?',
      ],
      [
        forwardOf(`Bindings: [{BindPort: 2, BindAddress: "::1"}]\nPortName: x\n`),
        '5:5 PortName: stands beside Bindings, which count alone: left out',
      ],
      [
        forwardOf('BindLocalSocket: a.sock\nPortName: x\n'),
        '4:5 BindLocalSocket: "a.sock" begins at the folder of the new file, and in azbridge where that was started',
      ],
      [
        remoteOf('Http: true\nPortName: https\nInsecure: true\n'),
        '6:5 Insecure: not taken over: hcm checks the certificate of an https target; trust its CA with --ca-file',
      ],
      [remoteOf('Http: true\n'), '4:5 Http: azbridge wants PortName, too: taken is "http"'],
      [remoteOf('HostPort: 1\nPath: /a\n'), '5:5 Path: goes with Http: left out'],
    ] as const) {
      it(wanted, () => assert.deepEqual(warnings(text), [wanted]));
    }
  });

  describe('is refused with', () => {
    for (const [what, text, wanted] of [
      ['nothing in it', '', 'az.yml has neither LocalForward nor RemoteForward: there is nothing to import.'],
      [
        'no forward',
        `${RELAY}LocalForward :\n`,
        'az.yml has neither LocalForward nor RemoteForward: there is nothing to import.',
      ],
      ['a text', 'hello\n', 'az.yml:1:1: expected a mapping of keys and values'],
      ['a forward that is no list', `${ENTRA}LocalForward: x\n`, 'az.yml:2:1: LocalForward: expected a list'],
      [
        'a placeholder',
        remoteOf('HostPort: 1\n').replace(': a\n', ': <<machine>>\n'),
        'az.yml:3:5: RelayName: "<<machine>>" cannot name a hybrid connection: only letters, digits and / _ - . are allowed in it',
      ],
      [
        'a connection string that is none',
        'AzureRelayConnectionString: <<here>>\nRemoteForward: [{RelayName: a, HostPort: 1}]\n',
        'az.yml:1:1: AzureRelayConnectionString: The connection string cannot be used: part 1 has no "="',
      ],
      [
        'an address that -o has cut',
        'AzureRelayEndpoint: sb\nRemoteForward: [{RelayName: a, HostPort: 1}]\n',
        "az.yml:1:1: AzureRelayEndpoint: The connection string cannot be used: its Endpoint is not an address like sb://NAMESPACE-HOST/; azbridge's -o cuts values at a colon",
      ],
      [
        'a key without its name',
        `${ENTRA}AzureRelaySharedAccessKey: ${KEY}\nRemoteForward: [{RelayName: a, HostPort: 1}]\n`,
        'az.yml:2:1: AzureRelaySharedAccessKey: The connection string cannot be used: it has a SharedAccessKey but no SharedAccessKeyName',
      ],
      [
        'a key without an address',
        `AzureRelaySharedAccessKey: ${KEY}\nRemoteForward: [{RelayName: a, HostPort: 1}]\n`,
        'az.yml:1:1: AzureRelaySharedAccessKey: there is no AzureRelayEndpoint with it: say --namespace NAME',
      ],
      [
        'a port that is none',
        forwardOf('BindPort: 65536\n'),
        'az.yml:4:5: BindPort: expected a number from 1 to 65535, negative for UDP, found "65536"',
      ],
      [
        'port 0',
        forwardOf('BindPort: 0\n'),
        'az.yml:4:5: BindPort: expected a number from 1 to 65535, negative for UDP, found "0"',
      ],
      [
        'no port',
        forwardOf('BindAddress: 127.0.0.1\n'),
        'az.yml:3:5: there is neither BindPort nor BindLocalSocket',
      ],
      ['no target', remoteOf('Host: x\n'), 'az.yml:3:5: there is neither HostPort nor LocalSocket'],
      [
        'a host that is none',
        remoteOf('Host: a b\nHostPort: 1\n'),
        'az.yml:4:5: Host: The target "a b:1" cannot be used: it has no usable host',
      ],
      [
        'an address bound twice',
        forwardOf(
          'Bindings: [{BindPort: 1, BindAddress: "::1"}, {BindPort: 1, BindAddress: "::1", PortName: x}]\n',
        ),
        'az.yml:4:52: BindPort: [::1]:1 is bound already, above',
      ],
      [
        'a logical port with two targets',
        remoteOf('Bindings: [{HostPort: 1, PortName: x}, {HostPort: 2, PortName: x}]\n'),
        'az.yml:4:58: PortName: the logical port "x" has a target already, above',
      ],
      [
        'a logical port that cannot be',
        remoteOf('HostPort: 1\nPortName: a b\n'),
        'az.yml:5:5: PortName: "a b" cannot be the name of a logical port: only letters, digits and / _ - . are allowed in it',
      ],
      [
        'HTTP under another name',
        remoteOf('Http: true\nPortName: web\n'),
        'az.yml:5:5: PortName: with Http it is http or https, and says which of the two; found "web"',
      ],
      [
        'two HTTP targets',
        remoteOf('Bindings: [{Http: true, PortName: http}, {Http: true, PortName: https}]\n'),
        'az.yml:4:47: Http: a second HTTP target: a connection can have one',
      ],
      [
        'no name of a connection',
        `${ENTRA}RemoteForward: [{HostPort: 1}]\n`,
        'az.yml:2:17: the key RelayName is missing',
      ],
    ] as const) {
      it(what, () => assert.equal(failure(text), wanted));
    }
  });
});
