// Namespaces, connections, rules and keys: the program, with the emulator as its cloud; and docs/json.md, whose examples
// are compared with what is printed.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { Ended } from './hcm-process.ts';
import { RelayHome } from './relay-home.ts';

type Json = Record<string, unknown>;

const LOCAL = { HCM_CLOUD: 'local' };
const CONNECTION = 'local-relay/db';

describe('hcm and the resources of a relay', function () {
  this.timeout(30_000);
  const home = new RelayHome();

  before(async () => {
    const args = ['emulator', 'start', '--port', '0', '--ephemeral', '--register', '--json'];
    home.emulator = home.start(args);
    home.ready = await home.emulator.event('ready');
  });
  after(() => home.remove());

  const run = (...args: string[]): Promise<Ended> => home.run(args, { env: LOCAL });

  /** The one document on stdout of a run that must end with this status. */
  async function json(args: string[], wanted = 0): Promise<Json> {
    const { status, stdout, stderr } = await run(...args, '--json');
    assert.equal(status, wanted, stderr + stdout);
    assert.equal(stdout.indexOf('\n'), stdout.length - 1, 'one document');
    const document = JSON.parse(stdout) as Json;
    if (wanted === 0) assertDocumented(args.slice(0, 2).join(' '), document);
    return document;
  }

  async function fails(args: string[], code: string, wanted: number): Promise<string> {
    const { error } = await json(args, wanted);
    const { code: seen, message, next } = error as Record<string, string>;
    assert.equal(seen, code, message);
    assert.ok(next);
    return message ?? '';
  }

  it('a namespace is made, shown, and deleted once somebody says yes', async () => {
    const { namespace, ...created } = await json(['namespace', 'create', 'my-relay', '-g', 'local']);
    assert.deepEqual(created, { changed: true, created: true, ready: true });
    assert.equal((namespace as Json)['status'], 'Active');
    const [, taken, table] = await Promise.all([
      json(['namespace', 'show', 'my-relay']),
      run('namespace', 'check-name', 'my-relay'),
      run('namespace', 'list'),
      fails(['namespace', 'delete', 'my-relay'], 'HCM_CONFIRMATION_NEEDED', 2),
    ]);
    assert.equal(taken.status, 5);
    assert.match(table.stdout, /^NAMESPACE +RESOURCE GROUP +LOCATION +STATUS +HOST\n/);
    assert.match(
      table.stdout,
      /^my-relay +local +West Europe +Active +my-relay\.servicebus\.localhost:\d+$/m,
    );
    assert.deepEqual(await json(['namespace', 'delete', 'my-relay', '--yes']), { changed: true, gone: true });
  });

  it('a connection is made, shown, moved and deleted, and its keys stay off every output but one', async () => {
    await json(['connection', 'create', CONNECTION, '--target', '[fd00::1]:5432']);
    await run('app', 'attach', 'local-app', CONNECTION);
    const rule = ['--rule', 'defaultSender'];
    const [listed, shown, before, text] = await Promise.all([
      json(['connection', 'list', 'local-relay']),
      json(['connection', 'show', CONNECTION]),
      json(['key', 'show', CONNECTION, ...rule]),
      run('key', 'show', CONNECTION, ...rule, '--connection-string'),
    ]);
    assert.equal((listed as unknown as Json[])[0]?.['target'], '[fd00::1]:5432');
    assert.deepEqual([(shown['apps'] as Json[])[0]?.['sendKey'], shown['listenerCount']], ['primary', 0]);
    assert.equal(text.stdout, `${String(before['primaryConnectionString'])}\n`);
    const rotated = await json(['key', 'rotate', CONNECTION, ...rule, '--yes']);
    assert.deepEqual(
      (rotated['steps'] as Json[]).map(({ step }) => step),
      ['move', 'regenerate'],
    );
    const updated = await json(['connection', 'update', CONNECTION, '--target', 'db2.corp.local:5433']);
    assert.equal((updated['apps'] as unknown[]).length, 1);
    const deleted = await json(['connection', 'delete', CONNECTION, '--yes']);
    assert.equal((deleted['detached'] as unknown[]).length, 1);
    const outputs = JSON.stringify([listed, shown, rotated, updated, deleted]);
    for (const key of ['primaryKey', 'secondaryKey']) assert.ok(!outputs.includes(String(before[key])));
  });

  it('bad input and bad luck have their codes, statuses and a next command', async () => {
    const nobody = ['--subscription', '11111111-1111-1111-1111-111111111111'];
    const [unknown] = await Promise.all([
      fails(['namespace', 'list', ...nobody], 'HCM_RESOURCE_NOT_FOUND', 5),
      fails(['namespace', 'create', 'my-relay', '-g', 'local', '-l', 'atlantis'], 'HCM_LOCATION_INVALID', 2),
      fails(['connection', 'create', 'local-relay/a', '--target', 'fd00::1:1'], 'HCM_TARGET_INVALID', 2),
      json(['rule', 'delete', 'local-relay', 'none', '--yes']),
    ]);
    assert.match(unknown, /11111111-1111-1111-1111-111111111111/);
  });
});

/** What the program prints has each documented field, of the documented kind, and none besides at the top. */
function assertDocumented(command: string, printed: unknown): void {
  const page = readFileSync(new URL('../../docs/json.md', import.meta.url), 'utf8');
  const section = page.split(`### hcm ${command}\n`)[1]?.split('\n#')[0] ?? '';
  const example = /```json\n([\s\S]*?)```/.exec(section)?.[1];
  if (example === undefined) return assert.fail(`docs/json.md has no example of hcm ${command}`);
  const documented = JSON.parse(example) as unknown;
  assertShape(printed, documented, command);
  const [top, known] = [printed, documented].map((one) =>
    Object.keys((Array.isArray(one) ? one[0] : one) as Json),
  );
  assert.deepEqual(
    top?.filter((key) => !known?.includes(key)),
    [],
    `hcm ${command} prints more than docs/json.md says`,
  );
}

function assertShape(printed: unknown, documented: unknown, path: string): void {
  assert.equal(kindOf(printed), kindOf(documented), path);
  if (Array.isArray(documented)) {
    const [first] = printed as unknown[];
    if (first !== undefined) assertShape(first, documented[0], `${path}[0]`);
  } else if (typeof documented === 'object' && documented !== null && !path.endsWith('.tags')) {
    for (const [key, value] of Object.entries(documented)) {
      assertShape((printed as Json)[key], value, `${path}.${key}`);
    }
  }
}

function kindOf(value: unknown): string {
  return Array.isArray(value) ? 'array' : typeof value;
}
