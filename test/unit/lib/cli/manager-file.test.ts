// Section manager of a file on disk: its connections, each with the credential that the entry names.
import assert from 'node:assert/strict';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openManagerFile } from '../../../../src/lib/cli/manager-file.ts';
import { Output } from '../../../../src/lib/cli/output.ts';
import { HcmError, type ErrorCode } from '../../../../src/protocol/errors.ts';

const KEY = 'c2VjcmV0';
const STRING = `Endpoint=sb://my-relay.servicebus.windows.net/;SharedAccessKeyName=r;SharedAccessKey=${KEY}`;

describe('the section manager of a file', () => {
  let folder: string;
  beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), 'hcm-manager-'))));
  afterEach(() => rm(folder, { recursive: true }));

  const output = new Output({ quiet: true });
  const flags = { entra: false };

  async function request(text: string, names: string[] = []) {
    const file = join(folder, 'hcm.yaml');
    await writeFile(file, text);
    await writeFile(join(folder, 'a.txt'), `${STRING}\n`);
    await chmod(join(folder, 'a.txt'), 0o600);
    return { file, flags, names, output, env: { RELAY: STRING.replace('my-relay', 'other'), NONE: 'x' } };
  }

  async function failure(text: string, code: ErrorCode, names: string[] = []): Promise<HcmError> {
    const error = await openManagerFile('listeners', await request(text, names)).then(
      () => assert.fail('it was accepted'),
      (thrown: unknown) => thrown,
    );
    assert.ok(error instanceof HcmError && error.code === code, String(error));
    assert.ok(!error.message.includes(KEY), error.message);
    return error;
  }

  it('has files beside it, and variables', async () => {
    const text = `
manager:
  listeners:
    - {connection: my-relay/a, connectionStringFile: a.txt, target: "x:1"}
    - {connection: other/b/c, connectionString: "\${RELAY}", dialect: azbridge, ports: {db: "x:1"}}
  forwards:
    - {connection: my-relay/a, connectionStringFile: ./a.txt}
`;
    const listeners = await openManagerFile('listeners', await request(text));
    assert.deepEqual(
      listeners.map(({ connection: { endpoint, path }, entry }) => [
        endpoint.host,
        path,
        entry.targets.dialect,
      ]),
      [
        ['my-relay.servicebus.windows.net', 'a', 'raw'],
        ['other.servicebus.windows.net', 'b/c', 'azbridge'],
      ],
    );
    const [forward] = await openManagerFile('forwards', await request(text));
    assert.ok(forward?.connection.tokens !== undefined);
  });

  it('names the place of an entry whose credential is not good', async () => {
    const file = join(folder, 'hcm.yaml');
    const entry = (credential: string, connection = 'my-relay/a') =>
      `manager: {listeners: [{connection: ${connection}, ${credential}}]}\n`;
    for (const [text, code, message] of [
      [
        entry('connectionStringFile: b.txt'),
        'HCM_FILE_UNREADABLE',
        `The file ${join(folder, 'b.txt')} cannot be read: it does not exist.`,
      ],
      [
        entry('connectionString: "${NONE}"'),
        'HCM_CONNECTION_STRING_INVALID',
        'The connection string cannot be used: part 1 has no "=".',
      ],
      [
        entry('connectionString: "${RELAY}"'),
        'HCM_CONNECTION_INVALID',
        'The connection string is for other.servicebus.windows.net, but the namespace "my-relay" was asked for.',
      ],
    ] as const) {
      const { message: found } = await failure(text, code);
      assert.equal(found, `${file}:1:36: my-relay/a: ${message}`);
    }
  });

  it('must have what is to run, and stands without names', async () => {
    const { message } = await failure(
      'manager: {forwards: [{connection: my-relay/a}]}\n',
      'HCM_CONFIG_INVALID',
    );
    assert.match(message, /has no listeners, so there is nothing to run\.$/);
    await failure('azure: {}\n', 'HCM_CONFIG_INVALID');
    await failure('manager: {}\n', 'HCM_USAGE', ['db']);
  });
});
