import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { readConnections, type ConnectionRequest } from '../../../../src/lib/cli/connection-input.ts';
import { isOpenToNetwork, parseForwardArguments } from '../../../../src/lib/cli/forward-targets.ts';
import { Output } from '../../../../src/lib/cli/output.ts';
import { HcmError, type ErrorCode } from '../../../../src/protocol/errors.ts';
import { parseBind } from '../../../../src/protocol/target.ts';

const HOST = 'ns.servicebus.windows.net';
const NAMESPACE = `Endpoint=sb://${HOST}/;SharedAccessKeyName=root;SharedAccessKey=a2V5`;
const entity = (name: string) => `${NAMESPACE};EntityPath=${name}`;
const isCode = (code: ErrorCode) => (error: unknown) => error instanceof HcmError && error.code === code;

describe('connections from arguments and connection strings', () => {
  let directory: string;
  let stderr: PassThrough;
  before(() => (directory = mkdtempSync(join(tmpdir(), 'hcm-unit-'))));
  after(() => rmSync(directory, { recursive: true }));
  beforeEach(() => (stderr = new PassThrough()));

  const file = (name: string, text: string) => {
    const path = join(directory, name);
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  };
  const read = (request: Partial<ConnectionRequest>) =>
    readConnections({ names: [], files: [], env: {}, output: new Output({ stderr, env: {} }), ...request });
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

  it('a name alone is checked, then its key is missed', async () => {
    await assert.rejects(read({ names: ['ns/db'] }), isCode('HCM_TOKEN_MISSING'));
    await assert.rejects(read({ names: ['db'], namespace: 'ns' }), isCode('HCM_TOKEN_MISSING'));
    await assert.rejects(read({ names: ['db'] }), isCode('HCM_CONNECTION_INVALID'));
    await assert.rejects(read({}), isCode('HCM_USAGE'));
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
