import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import {
  readConnections,
  type ConnectionLookUp,
  type ConnectionRequest,
} from '../../../../src/lib/cli/connection-input.ts';
import { isOpenToNetwork, parseForwardArguments } from '../../../../src/lib/cli/forward-targets.ts';
import { Output } from '../../../../src/lib/cli/output.ts';
import { HcmError, type ErrorCode } from '../../../../src/protocol/errors.ts';
import { parseBind } from '../../../../src/protocol/target.ts';
import type { WantedConnection } from '../../../../src/lib/services/connection-access.ts';
import { readySasToken } from '../../../../src/tunnel/token-provider.ts';

const HOST = 'ns.servicebus.windows.net';
const NAMESPACE = `Endpoint=sb://${HOST}/;SharedAccessKeyName=root;SharedAccessKey=a2V5`;
const SAS_TOKEN = 'SharedAccessSignature sr=http%3a%2f%2fns%2f&sig=c2ln&se=4102444800&skn=r';
const entity = (name: string) => `${NAMESPACE};EntityPath=${name}`;
const isCode = (code: ErrorCode) => (error: unknown) => error instanceof HcmError && error.code === code;

describe('connections from arguments and connection strings', () => {
  let directory: string;
  let stderr: PassThrough;
  /** What was asked of Azure, and what it fails with. */
  let asked: unknown[][];
  let failure: HcmError | undefined;
  before(() => (directory = mkdtempSync(join(tmpdir(), 'hcm-unit-'))));
  after(() => rmSync(directory, { recursive: true }));
  beforeEach(() => {
    stderr = new PassThrough();
    asked = [];
    failure = undefined;
  });

  const file = (name: string, text: string) => {
    const path = join(directory, name);
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  };
  const lookUp: ConnectionLookUp = {
    byKey: (wanted, right) => answer('key', wanted, right),
    byEntra: (wanted) => answer('entra', wanted),
    managedIdentity: () => {
      asked.push(['managed']);
      return Promise.resolve(readySasToken(SAS_TOKEN));
    },
  };
  const answer = (...asking: [string, readonly WantedConnection[], ...string[]]) => {
    asked.push(asking);
    if (failure !== undefined) return Promise.reject(failure);
    return Promise.resolve(
      asking[1].map(({ namespace, name }) => ({ endpoint: { host: namespace, port: 443 }, path: name })),
    );
  };
  const read = (request: Partial<ConnectionRequest>) =>
    readConnections({
      ...{ names: [], files: [], env: {}, right: 'Send', lookUp },
      output: new Output({ stderr, env: {} }),
      ...request,
    });
  const paths = async (request: Partial<ConnectionRequest>) => (await read(request)).map(({ path }) => path);

  it('an entity-level string is enough', async () => {
    const [connection] = await read({ env: { HCM_CONNECTION_STRING: entity('db') } });
    assert.deepEqual(connection?.endpoint, { host: HOST, port: 443 });
    assert.equal(connection?.path, 'db');
    assert.ok(connection?.tokens?.renewable);
  });

  it('with a string the whole argument is the name, slashes and all', async () => {
    assert.deepEqual(await paths({ names: ['a/b', 'c'], env: { HCM_CONNECTION_STRING: NAMESPACE } }), [
      'a/b',
      'c',
    ]);
  });

  it('a file wins over the environment; line ends around the string do not matter', async () => {
    const files = [file('db.txt', `\uFEFF${entity('db')}\r\n`)];
    assert.deepEqual(await paths({ files, env: { HCM_CONNECTION_STRING: 'nonsense' } }), ['db']);
    assert.equal(stderr.read(), null);
  });

  it('several files: each name takes its own string, else the one of the namespace', async () => {
    const files = [file('a.txt', entity('a')), file('ns.txt', NAMESPACE)];
    assert.deepEqual(await paths({ names: ['other', 'A'], files }), ['other', 'a']);
  });

  it('a string that is not for the name or the namespace is a usage error', async () => {
    const env = { HCM_CONNECTION_STRING: entity('db') };
    await assert.rejects(read({ names: ['other'], env }), isCode('HCM_CONNECTION_INVALID'));
    await assert.rejects(read({ namespace: 'elsewhere', env }), isCode('HCM_CONNECTION_INVALID'));
    assert.deepEqual(await paths({ namespace: 'ns', env }), ['db']);
    assert.deepEqual(await paths({ namespace: HOST, env }), ['db']);
  });

  it('a name alone is checked, then its key is asked of Azure, for the right that is needed', async () => {
    await assert.rejects(read({ names: ['db'] }), isCode('HCM_CONNECTION_INVALID'));
    await assert.rejects(read({ names: ['ns/ok', 'ns/a//b'] }), isCode('HCM_CONNECTION_INVALID'));
    await assert.rejects(read({}), isCode('HCM_USAGE'));
    assert.deepEqual(asked, []);
    assert.deepEqual(await paths({ names: ['ns/db', 'ns/a/b'], right: 'Listen' }), ['db', 'a/b']);
    assert.deepEqual(await paths({ names: ['a/b'], namespace: HOST }), ['a/b']);
    assert.deepEqual(asked, [
      [
        'key',
        [
          { namespace: 'ns', name: 'db' },
          { namespace: 'ns', name: 'a/b' },
        ],
        'Listen',
      ],
      ['key', [{ namespace: HOST, name: 'a/b' }], 'Send'],
    ]);
  });

  it('a resource id says where to look', async () => {
    const id =
      '/subscriptions/S/resourcegroups/g/providers/Microsoft.Relay/namespaces/ns/hybridconnections/a/b';
    assert.deepEqual(await paths({ names: [id] }), ['a/b']);
    const where = { subscriptionId: 'S', resourceGroup: 'g' };
    assert.deepEqual(asked, [['key', [{ namespace: 'ns', name: 'a/b', ...where }], 'Send']]);
  });

  it('with a connection string Azure is not asked', async () => {
    await read({ names: ['db'], env: { HCM_CONNECTION_STRING: NAMESPACE } });
    assert.deepEqual(asked, []);
  });

  it('--entra asks for no key, whatever string the environment has', async () => {
    const env = { HCM_CONNECTION_STRING: entity('db') };
    assert.deepEqual(await paths({ names: ['ns/db'], entra: true, env }), ['db']);
    assert.deepEqual(asked, [['entra', [{ namespace: 'ns', name: 'db' }]]]);
  });

  it('without a key and without a sign-in both ways are named', async () => {
    failure = new HcmError('HCM_SIGN_IN_REQUIRED', 'The az CLI is not signed in.');
    await assert.rejects(read({ names: ['ns/db'] }), (error: HcmError) => {
      assert.equal(error.code, 'HCM_TOKEN_MISSING');
      assert.equal(
        error.message,
        'There is no key for ns/db, and Azure cannot be asked for one: The az CLI is not signed in.',
      );
      return true;
    });
    await assert.rejects(read({ names: ['ns/db'], entra: true }), isCode('HCM_SIGN_IN_REQUIRED'));
    failure = new HcmError('HCM_RESOURCE_NOT_FOUND', 'There is no such thing.');
    await assert.rejects(read({ names: ['ns/db'] }), isCode('HCM_RESOURCE_NOT_FOUND'));
  });

  it('a string with Authentication=Managed Identity takes the tokens of the machine', async () => {
    const HCM_CONNECTION_STRING = `Endpoint=sb://${HOST}/;EntityPath=db;Authentication=Managed Identity`;
    const [connection] = await read({ env: { HCM_CONNECTION_STRING } });
    assert.deepEqual(connection?.endpoint, { host: HOST, port: 443 });
    assert.ok(connection?.tokens);
    assert.deepEqual(asked, [['managed']]);
  });

  it('a string without a key is an anonymous sender', async () => {
    const [connection] = await read({
      env: { HCM_CONNECTION_STRING: `Endpoint=sb://${HOST}/;EntityPath=db` },
    });
    assert.equal(connection?.tokens, undefined);
  });

  it('stdin that is taken cannot bring a string', async () => {
    await assert.rejects(read({ files: ['-'], stdinTaken: true }), isCode('HCM_USAGE'));
  });
});

describe('what forward binds', () => {
  it('one connection with --bind, or with any free loopback port', () => {
    assert.deepEqual(parseForwardArguments(['db'], '1433'), [
      { name: 'db', bind: parseBind('127.0.0.1:1433') },
    ]);
    assert.deepEqual(parseForwardArguments([], undefined), [
      { name: undefined, bind: parseBind('127.0.0.1:0') },
    ]);
  });

  it('several with their own addresses', () => {
    assert.deepEqual(parseForwardArguments(['a=[::1]:1', 'b/c=unix:/s', 'd'], undefined), [
      { name: 'a', bind: parseBind('[::1]:1') },
      { name: 'b/c', bind: parseBind('unix:/s') },
      { name: 'd', bind: parseBind('127.0.0.1:0') },
    ]);
  });

  it('knows which addresses other machines reach', () => {
    const open = ['127.0.0.1:1', '[::1]:1', 'localhost:1', '0.0.0.0:1', '[::]:1', 'unix:/s'].map((text) =>
      isOpenToNetwork(parseBind(text)),
    );
    assert.deepEqual(open, [false, false, false, true, true, false]);
  });
});
