// Signing in, as a user types it: the emulator as the cloud `local`, other clouds, accounts, and sign-ins that fail.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { HcmHome, type Line } from './hcm-process.ts';

describe('hcm login, account and cloud', () => {
  const home = new HcmHome();
  let ready: Line;
  /** The variables of the emulator's app. */
  let app: Record<string, string>;

  before(async () => {
    const emulator = home.start(['emulator', 'start', '--port', '0', '--json']);
    ready = await emulator.event('ready');
    app = {
      AZURE_TENANT_ID: String(ready['tenantId']),
      AZURE_CLIENT_ID: String(ready['clientId']),
      AZURE_CLIENT_SECRET: String(ready['clientSecret']),
    };
  });
  after(() => home.remove());

  /** Runs with --json; resolves with the status and the one document on stdout. */
  const run = async (line: string, env: Record<string, string> = {}) => {
    const { status, stdout, stderr } = await home.run([...line.split(' '), '--json'], { env });
    assert.equal(stdout.trim().split('\n').length, 1, stdout + stderr);
    return { status, answer: JSON.parse(stdout) as Line & { error?: Line }, stderr, stdout };
  };
  const list = (answer: unknown) => answer as Line[];

  it('a running emulator is the cloud "local", which needs no login', async () => {
    const { answer: clouds } = await run('cloud list');
    assert.deepEqual(
      list(clouds).map(({ name, current }) => [name, current]),
      [
        ['public', true],
        ['usgov', false],
        ['china', false],
        ['local', false],
      ],
    );
    const { status, answer } = await run('account show --cloud local');
    assert.deepEqual(
      [status, answer['cloud'], answer['method'], answer['tenantId'], answer['subscriptionName']],
      [0, 'local', 'local', ready['tenantId'], 'Local'],
    );
    await run('cloud use local');
    const { answer: subscriptions } = await run('account list');
    const { answer: signedIn } = await run('login');
    assert.deepEqual(signedIn['subscriptions'], subscriptions);
    await run('cloud use public');
    assert.deepEqual(
      list(subscriptions).map(({ displayName, current }) => [displayName, current]),
      [['Local', true]],
    );
  });

  it('a temporary emulator registers itself only when it is told to', async () => {
    const other = new HcmHome();
    try {
      const start = (...flags: string[]) =>
        other.start(['emulator', 'start', '--port', '0', '--json', '--ephemeral', ...flags]).event('ready');
      const show = () => other.run(['account', 'show', '--cloud', 'local', '--json']);
      await start();
      const before = await show();
      assert.deepEqual([before.status, /HCM_NOT_RUNNING/.test(before.stdout)], [7, true]);
      const { tenantId } = await start('--register');
      assert.equal((JSON.parse((await show()).stdout) as Line)['tenantId'], tenantId);
    } finally {
      await other.remove();
    }
  });

  it('from login to logout, as a person with a device code, in a cloud that was added by its endpoint', async () => {
    const endpoint = String(ready['arm']);
    const { answer: added } = await run(`cloud add here --endpoint ${endpoint}`);
    assert.equal(added['authority'], endpoint.replace(/\/$/, ''));
    const HCM_CLOUD = 'here';
    const { status, answer, stderr } = await run('login --device-code', { HCM_CLOUD });
    assert.deepEqual(
      [status, answer['cloud'], answer['method'], answer['subscriptionName']],
      [0, 'here', 'device', 'Local'],
    );
    assert.match(stderr, /enter the code/);
    const [again, set] = await Promise.all([
      run('account show', { HCM_CLOUD }),
      run('account set --subscription local', { HCM_CLOUD }),
    ]);
    assert.deepEqual([again.answer['account'], again.stderr, set.status], [answer['account'], '', 0]);
    assert.deepEqual((await run('logout', { HCM_CLOUD })).answer, { cloud: 'here', signedOut: true });
  });

  it('a service principal is remembered, and its secret stands in one file that only the user can read', async () => {
    const { status } = await run('login --cloud local --service-principal', app);
    assert.equal(status, 0);
    assert.equal((await run('account show --cloud local')).answer['method'], 'service-principal');
    const folder = home.path('state/hcm');
    const secret = String(ready['clientSecret']);
    const holding = readdirSync(folder).filter(
      (name) =>
        statSync(`${folder}/${name}`).isFile() && readFileSync(`${folder}/${name}`, 'utf8').includes(secret),
    );
    assert.deepEqual(holding.sort(), ['local.secret', 'secret-local']);
    for (const name of holding) assert.equal(statSync(`${folder}/${name}`).mode & 0o777, 0o600);
    await run('logout --cloud local');
  });

  it('a pipeline needs no login: the environment is enough', async () => {
    const { status, answer } = await run('account show --cloud local --auth env', { ...app, CI: 'true' });
    assert.deepEqual([status, answer['method']], [0, 'env']);
  });

  it('what goes wrong has its status and its code, and shows no secret', async () => {
    const wrong = { ...app, AZURE_CLIENT_SECRET: 'not-it' };
    const failing = [
      ['account show', {}, 3, 'HCM_SIGN_IN_REQUIRED'],
      ['account show --auth env --cloud local', wrong, 3, 'HCM_SIGN_IN_FAILED'],
      ['login --cloud moon', {}, 2, 'HCM_CLOUD_UNKNOWN'],
      ['login --device-code', { CI: '1' }, 2, 'HCM_INPUT_NEEDED'],
      ['login --service-principal', {}, 2, 'HCM_INPUT_NEEDED'],
      ['login --auth env --proxy http://127.0.0.1:1', wrong, 4, 'HCM_PROXY_FAILED'],
      ['account set --subscription nope --cloud local', {}, 2, 'HCM_SUBSCRIPTION_MISSING'],
    ] as const;
    const seen = await Promise.all(
      // No az, even where this machine has one.
      failing.map(([line, env]) => run(line, { PATH: home.directory, ...env })),
    );
    assert.deepEqual(
      seen.map(({ status, answer }, index) => [failing[index]?.[0], status, answer.error?.['code']]),
      failing.map(([line, , status, code]) => [line, status, code]),
    );
    assert.ok(!JSON.stringify(seen).includes('not-it'));
  });
});
