import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import type { ControlClient } from '../../../../../src/manager/control/control-client.ts';
import { browserCommand, openDashboard } from '../../../../../src/lib/cli/manager/run-dashboard.ts';
import { Output } from '../../../../../src/lib/cli/output.ts';
import { written } from '../../../../helpers/written.ts';

const CODE = 'token=Bearer0123456789abcdef0123456789abcdef';
const URL = `http://127.0.0.1:5005/?code=${CODE}`;
const INVITATION = { url: URL, expiresAt: '2026-01-01T00:01:00.000Z' };

describe('hcm dashboard', () => {
  interface Wanted {
    open?: boolean;
    json?: boolean;
    isTerminal?: boolean;
    env?: NodeJS.ProcessEnv;
    starts?: boolean;
  }

  const folder = mkdtempSync(join(tmpdir(), 'hcm-link-'));
  after(() => rmSync(folder, { recursive: true, force: true }));

  async function run({ open = true, json = false, isTerminal = true, env = {}, starts = true }: Wanted = {}) {
    const stdout = new PassThrough();
    const stderr = new PassThrough();
    const launched: (readonly string[])[] = [];
    await openDashboard({
      client: { dashboard: () => Promise.resolve(INVITATION) } as unknown as ControlClient,
      output: new Output({ stdout, stderr, env: {} }),
      ...{ open, json, isTerminal, env: { HCM_STATE_DIR: folder, ...env }, platform: 'darwin' },
      launch: (command, args) => {
        launched.push([command, ...args]);
        return Promise.resolve(starts);
      },
    });
    return { stdout: written(stdout), stderr: written(stderr), launched };
  }

  it('prints the link, whole, and opens it', async () => {
    const { stdout, stderr, launched } = await run();
    assert.equal(stdout, `${URL}\n`);
    assert.match(stderr, /Opened/);
    assert.deepEqual(launched, [['open', join(folder, 'dashboard.html')]]);
  });

  it('shows the link to no other user in the arguments of a program, but in a file of this user', async () => {
    const { launched } = await run();
    assert.doesNotMatch(JSON.stringify(launched), /code=|0123456789abcdef/);
    const path = join(folder, 'dashboard.html');
    assert.match(readFileSync(path, 'utf8'), new RegExp(`content="0;url=${URL.replace('?', '\\?')}"`));
    if (process.platform !== 'win32') assert.equal(statSync(path).mode & 0o777, 0o600);
  });

  it('with --json prints one document, and opens nothing', async () => {
    const { stdout, stderr, launched } = await run({ json: true });
    assert.deepEqual(JSON.parse(stdout), INVITATION);
    assert.deepEqual([stderr, launched], ['', []]);
  });

  const QUIET: [string, Wanted][] = [
    ['with --no-open', { open: false }],
    ['in CI', { env: { CI: 'true' } }],
    ['without a terminal', { isTerminal: false }],
  ];
  for (const [what, wanted] of QUIET) {
    it(`${what} prints the link, and opens nothing`, async () => {
      const { stdout, launched } = await run(wanted);
      assert.deepEqual([stdout, launched], [`${URL}\n`, []]);
    });
  }

  it('says what to do where no browser can be started', async () => {
    const { stderr } = await run({ starts: false });
    assert.match(stderr, /Open it in a browser of this machine within a minute/);
  });

  it('gives the link to one program as one argument, without a shell', () => {
    for (const platform of ['linux', 'darwin', 'win32'] as const) {
      const command = browserCommand(URL, platform);
      assert.equal(command.at(-1), URL, platform);
      assert.doesNotMatch(command[0], /cmd|sh$/, platform);
    }
  });
});
