import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  type ConnectionString,
  formatConnectionString,
  parseConnectionName,
  parseConnectionString,
  resolveConnection,
} from '../../../src/protocol/connection-string.ts';
import { HcmError } from '../../../src/protocol/errors.ts';

const KEY = 'c2VjcmV0LWtleS1tYXRlcmlhbA==';
const FULL = `Endpoint=sb://ns1.servicebus.windows.net/;SharedAccessKeyName=defaultListener;SharedAccessKey=${KEY};EntityPath=hyco1`;

function faultOf(run: () => unknown): { code: string; reason: unknown; message: string } {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof HcmError);
    return { code: error.code, reason: error.details['reason'], message: error.message };
  }
  assert.fail('nothing was thrown');
}

describe('parseConnectionString', () => {
  it('reads what the portal shows', () => {
    assert.deepEqual(parseConnectionString(FULL), {
      endpoint: { host: 'ns1.servicebus.windows.net', port: 443 },
      entityPath: 'hyco1',
      credential: { kind: 'key', keyName: 'defaultListener', key: KEY },
      operationTimeoutMs: 60_000,
    });
  });

  it('takes keys in any case and order, spaces, empty parts and a final line break', () => {
    const parsed = parseConnectionString(
      `\uFEFF;entitypath = a/b.c ;; SHAREDACCESSKEY=${KEY};sharedaccesskeyname=k;ENDPOINT=SB://NS1.ServiceBus.usgovcloudapi.net;\r\n`,
    );
    assert.equal(parsed.endpoint.host, 'ns1.servicebus.usgovcloudapi.net');
    assert.equal(parsed.entityPath, 'a/b.c');
    assert.deepEqual(parsed.credential, { kind: 'key', keyName: 'k', key: KEY });
  });

  it('reads ports, IPv6 hosts and other clouds', () => {
    const endpointOf = (text: string): unknown => parseConnectionString(`Endpoint=${text}`).endpoint;
    assert.deepEqual(endpointOf('sb://localhost:5671/'), { host: 'localhost', port: 5671 });
    assert.deepEqual(endpointOf('sb://[::1]:5671/'), { host: '::1', port: 5671 });
    assert.deepEqual(endpointOf('sb://[::1]'), { host: '::1', port: 443 });
    assert.deepEqual(endpointOf('https://ns1.servicebus.chinacloudapi.cn:443'), {
      host: 'ns1.servicebus.chinacloudapi.cn',
      port: 443,
    });
  });

  it('reads each kind of credential', () => {
    const credentialOf = (rest: string): unknown =>
      parseConnectionString(`Endpoint=sb://ns1.example/;${rest}`).credential;
    assert.deepEqual(credentialOf(''), { kind: 'none' });
    assert.deepEqual(credentialOf('Authentication=Managed Identity'), { kind: 'managed-identity' });
    assert.deepEqual(credentialOf('Authentication=managedidentity'), { kind: 'managed-identity' });
    assert.deepEqual(credentialOf('Authentication=Other'), { kind: 'none' });
    const token = 'SharedAccessSignature sr=http%3A%2F%2Fns1&sig=a%3D&se=1&skn=k';
    assert.deepEqual(credentialOf(`SharedAccessSignature=${token}`), { kind: 'signature', token });
  });

  it('reads .NET time spans', () => {
    const timeoutOf = (text: string): number =>
      parseConnectionString(`Endpoint=sb://ns1.example/;OperationTimeout=${text}`).operationTimeoutMs;
    assert.equal(timeoutOf('00:00:30'), 30_000);
    assert.equal(timeoutOf('1:02:03.25'), 3_723_250);
    assert.equal(timeoutOf('1.00:00:00'), 86_400_000);
  });

  it('takes the emulator flag for this machine', () => {
    assert.equal(
      parseConnectionString('Endpoint=sb://localhost:1/;UseDevelopmentEmulator=true').endpoint.port,
      1,
    );
  });

  const faults: [text: string, reason: string][] = [
    ['', 'empty'],
    [' \r\n', 'empty'],
    [`"${FULL}"`, 'quoted'],
    [KEY.replace(/=/g, ''), 'no-equals'],
    [`${FULL};${KEY}`, 'unknown-key'],
    [`${FULL};Entity=x`, 'unknown-key'],
    [`${FULL};ENTITYPATH=x`, 'repeated-key'],
    [FULL.replace('hyco1', ''), 'empty-value'],
    [FULL.replace(/^Endpoint=[^;]*;/, ''), 'endpoint-missing'],
    ['Endpoint=ns1.servicebus.windows.net', 'endpoint-uri'],
    ['Endpoint=amqps://ns1.servicebus.windows.net/', 'endpoint-scheme'],
    ['Endpoint=sb://me:pw@ns1.example/', 'endpoint-user'],
    ['Endpoint=sb://ns1.example/hyco1', 'endpoint-path'],
    ['Endpoint=sb://ns1.example/?x', 'endpoint-path'],
    ['Endpoint=sb://ns1.example:0/', 'endpoint-port'],
    ['Endpoint=sb://ns1.example:65536/', 'endpoint-port'],
    ['Endpoint=sb://ns1.example:http/', 'endpoint-port'],
    ['Endpoint=sb:///', 'endpoint-host'],
    ['Endpoint=sb://:443/', 'endpoint-host'],
    ['Endpoint=sb://a b/', 'endpoint-host'],
    ['Endpoint=sb://[::1/', 'endpoint-host'],
    [FULL.replace('hyco1', 'a//b'), 'entity-path'],
    [FULL.replace('hyco1', '/a'), 'entity-path'],
    [FULL.replace('hyco1', 'a/../b'), 'entity-path'],
    [FULL.replace('hyco1', 'a b'), 'entity-path'],
    [FULL.replace('hyco1', 'a'.repeat(261)), 'entity-path'],
    [FULL.replace(/SharedAccessKey=[^;]*;/, ''), 'key-missing'],
    [FULL.replace(/SharedAccessKeyName=[^;]*;/, ''), 'key-name-missing'],
    [FULL.replace(KEY, 'c2Vj cmV0'), 'key-whitespace'],
    [FULL.replace(KEY, 'k'.repeat(257)), 'key-length'],
    [FULL.replace('defaultListener', 'n'.repeat(257)), 'key-name-length'],
    [`${FULL};SharedAccessSignature=SharedAccessSignature sr=x`, 'credential-conflict'],
    [`${FULL};Authentication=Managed Identity`, 'credential-conflict'],
    ['Endpoint=sb://ns1.example/;SharedAccessSignature=abc', 'signature'],
    ['Endpoint=sb://ns1.example/;Authentication=1', 'authentication'],
    ['Endpoint=sb://ns1.example/;OperationTimeout=60', 'operation-timeout'],
    ['Endpoint=sb://ns1.example/;OperationTimeout=00:00:00', 'operation-timeout'],
    ['Endpoint=sb://ns1.example/;OperationTimeout=00:61:00', 'operation-timeout'],
    ['Endpoint=sb://ns1.example/;UseDevelopmentEmulator=true', 'emulator-host'],
    ['Endpoint=sb://localhost/;UseDevelopmentEmulator=maybe', 'emulator-flag'],
  ];
  for (const [text, reason] of faults) {
    it(`calls ${JSON.stringify(text.slice(-60))} a fault of the kind ${reason}`, () => {
      const fault = faultOf(() => parseConnectionString(text));
      assert.equal(fault.code, 'HCM_CONNECTION_STRING_INVALID');
      assert.equal(fault.reason, reason, fault.message);
      assert.ok(!fault.message.includes('c2Vj'), fault.message);
    });
  }

  it('never repeats the key, wherever the string was cut', () => {
    for (let cut = 0; cut < FULL.length; cut++) {
      for (const text of [FULL.slice(cut), `${FULL.slice(0, cut)};${FULL.slice(cut)}`]) {
        try {
          parseConnectionString(text);
        } catch (error) {
          assert.ok(!/c2Vj|bWF0|LWtleS/.test((error as Error).message), (error as Error).message);
        }
      }
    }
  });
});

describe('formatConnectionString', () => {
  it("writes the keys in the order of Microsoft's manager, and a port that is not 443", () => {
    const parts = {
      endpoint: { host: 'localhost', port: 5671 },
      credential: { kind: 'key', keyName: 'k', key: KEY },
      entityPath: 'a/b',
    } as const;
    assert.equal(
      formatConnectionString(parts),
      `Endpoint=sb://localhost:5671/;SharedAccessKeyName=k;SharedAccessKey=${KEY};EntityPath=a/b`,
    );
  });

  it('refuses a value that would break the string apart', () => {
    const credential = { kind: 'key', keyName: 'a;b', key: KEY } as const;
    const fault = faultOf(() => formatConnectionString({ endpoint: { host: 'x', port: 443 }, credential }));
    assert.equal(fault.reason, 'semicolon');
  });

  it('writes what reads back as the same', () => {
    const word = fc.stringMatching(/^[A-Za-z0-9+/=_.-]{1,40}$/);
    const segment = fc.stringMatching(/^[A-Za-z0-9_-][A-Za-z0-9_.-]{0,10}$/);
    const credential = fc.oneof(
      fc.record({ kind: fc.constant('key' as const), keyName: word, key: word }),
      fc.record({
        kind: fc.constant('signature' as const),
        token: word.map((text) => `SharedAccessSignature sig=${text}`),
      }),
      fc.constant({ kind: 'managed-identity' as const }),
      fc.constant({ kind: 'none' as const }),
    );
    const full = fc.record(
      {
        endpoint: fc.record({
          host: fc.constantFrom('ns1.servicebus.windows.net', 'localhost', '::1', '10.0.0.1'),
          port: fc.integer({ min: 1, max: 65_535 }),
        }),
        credential,
        entityPath: fc.array(segment, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/')),
      },
      { requiredKeys: ['endpoint', 'credential'] },
    );
    fc.assert(
      fc.property(full, (parts) => {
        const expected = { ...parts, operationTimeoutMs: 60_000 } as ConnectionString;
        assert.deepEqual(parseConnectionString(formatConnectionString(expected)), structuredClone(expected));
      }),
    );
  });
});

describe('resolveConnection', () => {
  const wide = FULL.replace(';EntityPath=hyco1', '');

  it('takes the entity from the string, from the name, or from both when they agree', () => {
    assert.equal(resolveConnection({ connectionString: FULL }).path, 'hyco1');
    assert.equal(resolveConnection({ connectionString: wide, name: 'a/b' }).path, 'a/b');
    assert.equal(
      resolveConnection({ connectionString: parseConnectionString(FULL), name: 'HYCO1' }).path,
      'hyco1',
    );
  });

  it('refuses a name that disagrees, a bad name, and no name at all', () => {
    const reasonOf = (connectionString: string, name?: string): unknown => {
      const fault = faultOf(() => resolveConnection({ connectionString, name }));
      assert.equal(fault.code, 'HCM_CONNECTION_INVALID');
      return fault.reason;
    };
    assert.equal(reasonOf(FULL, 'hyco2'), 'name-disagrees');
    assert.equal(reasonOf(wide, 'a b'), 'entity-name');
    assert.equal(reasonOf(wide), 'name-missing');
  });
});

describe('parseConnectionName', () => {
  it('splits at the first slash', () => {
    assert.deepEqual(parseConnectionName('ns1/a/b.c-d_e'), { namespace: 'ns1', name: 'a/b.c-d_e' });
    assert.deepEqual(parseConnectionName('ns1.servicebus.windows.net/db'), {
      namespace: 'ns1.servicebus.windows.net',
      name: 'db',
    });
    assert.equal(parseConnectionName('[::1]:99/db').namespace, '[::1]:99');
  });

  it('names what is wrong with the rest', () => {
    const reasonOf = (text: string): unknown => faultOf(() => parseConnectionName(text)).reason;
    assert.equal(reasonOf('db'), 'no-namespace');
    assert.equal(reasonOf('/db'), 'namespace');
    assert.equal(reasonOf('https://ns1/db'), 'namespace');
    assert.equal(reasonOf('ns1/'), 'entity-name');
    assert.equal(reasonOf('ns1/a//b'), 'entity-name');
    assert.equal(reasonOf('ns1/..'), 'entity-name');
  });
});
