import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openKeychain, type Keychain } from '../../../src/manager/keychain-secrets.ts';
import { systemClock } from '../../../src/tunnel/clock.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';
import { writeKeychainPackage } from '../../helpers/keychain-package.ts';
import { until } from '../../helpers/until.ts';

const SECRET = 'Endpoint=sb://ns.servicebus.windows.net/;SharedAccessKey=very=secret==\n"quoted"';

describe('the keychain of the user', () => {
  let folder: string;
  let path: string;
  let keychain: Keychain | undefined;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'hcm-keychain-'));
    path = writeKeychainPackage(folder);
  });
  afterEach(() => {
    keychain?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const open = (options: { clock?: FakeClock; findPackage?: () => string; env?: NodeJS.ProcessEnv } = {}) =>
    (keychain = openKeychain({
      node: process.execPath,
      env: process.env,
      findPackage: () => path,
      clock: systemClock,
      ...options,
    }));

  it('gives back what was put into it, whole, after the process that keeps it has gone', async () => {
    const first = open();
    await first.secretsOf('a').save('listener ns/db', SECRET);
    first.close();
    assert.equal(await open().secretsOf('a').load('listener ns/db'), SECRET);
    assert.match(
      await readFile(join(folder, 'keychain.json'), 'utf8'),
      /"hcm listener ns\/db \(a\) secret-service"/,
    );
  });

  it('keeps the stores of a user apart, and has nothing where nothing was put', async () => {
    const both = open();
    await both.secretsOf('a').save('listener ns/db', SECRET);
    assert.equal(await both.secretsOf('b').load('listener ns/db'), undefined);
    await both.secretsOf('b').remove('listener ns/db');
    assert.equal(await both.secretsOf('a').load('listener ns/db'), SECRET);
    await both.secretsOf('a').remove('listener ns/db');
    assert.equal(await both.secretsOf('a').load('listener ns/db'), undefined);
  });

  it('is asked by a process that is given no secret of ours, whatever its variable is called', async () => {
    const seen = join(folder, 'environment.json');
    const peek = join(folder, 'peek.cjs');
    writeFileSync(
      peek,
      `require('fs').writeFileSync(${JSON.stringify(seen)}, JSON.stringify(process.env)); module.exports = require(${JSON.stringify(path)});`,
    );
    const env = {
      ...process.env,
      ...{ HCM_CONNECTION_STRING: SECRET, HCM_PROXY_PASSWORD: SECRET, DB_LISTEN: SECRET },
      ...{ AZURE_CLIENT_SECRET: SECRET, NODE_OPTIONS: '--import=nothing' },
    };
    await open({ env, findPackage: () => peek })
      .secretsOf('a')
      .save('listener ns/db', SECRET);
    const given = await readFile(seen, 'utf8');
    assert.match(given, /"PATH":/i);
    assert.doesNotMatch(given, /DB_LISTEN|NODE_OPTIONS/);
    assert.ok(!given.includes(SECRET));
  });

  it('is not confused by what its library prints', async () => {
    const talks = join(folder, 'talks.cjs');
    const noise = ['hello', 'null', '7', '{"id":99}', ''];
    writeFileSync(
      talks,
      `process.stdout.write(${JSON.stringify(noise.join('\n'))}); module.exports = require(${JSON.stringify(path)});`,
    );
    const secrets = open({ findPackage: () => talks }).secretsOf('a');
    await secrets.save('listener ns/db', SECRET);
    assert.equal(await secrets.load('listener ns/db'), SECRET);
  });

  it('answers many at once, each with its own', async () => {
    const secrets = open().secretsOf('a');
    const names = Array.from({ length: 20 }, (_, at) => `listener ns/c${at}`);
    for (const name of names) await secrets.save(name, `secret of ${name}`);
    assert.deepEqual(
      await Promise.all(names.map((name) => secrets.load(name))),
      names.map((name) => `secret of ${name}`),
    );
  });

  it('says why it cannot be used when it is locked, without a secret, and works for others', async () => {
    const secrets = open().secretsOf('a');
    await assert.rejects(secrets.load('locked'), {
      code: 'HCM_KEYCHAIN_UNAVAILABLE',
      message: /unlock prompt was dismissed; SharedAccessKey=\*\*\*/,
    });
    await secrets.save('open', SECRET);
    assert.equal(await secrets.load('open'), SECRET);
  });

  it('one that hangs is given up in time, once for all who wait, and is asked again later', async () => {
    const clock = new FakeClock();
    const secrets = open({ clock }).secretsOf('a');
    const asked = [secrets.load('hang'), secrets.load('other'), secrets.save('third', SECRET)];
    const answers = Promise.allSettled(asked);
    clock.advance(10_000);
    for (const { reason } of (await answers) as PromiseRejectedResult[])
      assert.match(String(reason), /did not answer within 10 s/);
    await assert.rejects(secrets.load('fourth'), { code: 'HCM_KEYCHAIN_UNAVAILABLE' });
    clock.advance(15_000);
    assert.equal(await secrets.load('fourth'), undefined);
  });

  it('a process that dies is told, and the next request starts another', async () => {
    const secrets = open().secretsOf('a');
    await assert.rejects(secrets.load('crash'), {
      code: 'HCM_KEYCHAIN_UNAVAILABLE',
      message: /SIGKILL/,
    });
    assert.equal(await secrets.load('fine'), undefined);
  });

  it('lets go of it once nobody has asked for a while', async () => {
    const clock = new FakeClock();
    await open({ clock }).secretsOf('a').load('fine');
    assert.equal(clock.timers, 1);
    clock.advance(10_000);
    await until(() => clock.timers === 0);
  });

  it('says that the package is not installed', async () => {
    const secrets = open({
      findPackage: () => {
        throw new Error('Cannot find module');
      },
    }).secretsOf('a');
    await assert.rejects(secrets.load('x'), {
      code: 'HCM_KEYCHAIN_UNAVAILABLE',
      message: /@napi-rs\/keyring is not installed/,
    });
  });

  it('says that the package does not load', async () => {
    const secrets = open({ findPackage: () => join(folder, 'none.cjs') }).secretsOf('a');
    await assert.rejects(secrets.load('x'), {
      code: 'HCM_KEYCHAIN_UNAVAILABLE',
      message: /Cannot find module/,
    });
  });
});
