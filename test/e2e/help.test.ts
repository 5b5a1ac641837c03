import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { HcmHome } from './hcm-process.ts';

const packageFile = new URL('../../package.json', import.meta.url);

describe('hcm, asked what it is', () => {
  const home = new HcmHome();
  after(() => home.remove());

  it('--version prints the version of package.json, of the system and of Node', async () => {
    const { version } = JSON.parse(readFileSync(packageFile, 'utf8')) as { version: string };
    const { status, stdout, stderr } = await home.run(['--version']);
    assert.equal(stdout, `hcm-cli/${version} ${process.platform}-${process.arch} node-${process.version}\n`);
    assert.deepEqual([status, stderr], [0, '']);
  });

  for (const args of [
    ['--version', '--json'],
    ['version', '--json'],
  ]) {
    it(`"hcm ${args.join(' ')}" is one JSON document`, async () => {
      const { version } = JSON.parse(readFileSync(packageFile, 'utf8')) as { version: string };
      const { status, stdout } = await home.run(args);
      assert.equal(status, 0);
      const system = `${process.platform}-${process.arch}`;
      assert.deepEqual(JSON.parse(stdout), { version, system, node: process.version });
    });
  }

  for (const args of [[], ['--help'], ['help'], ['-h']]) {
    it(`"hcm ${args.join(' ')}" says where to start and lists the commands`, async () => {
      const { status, stdout, stderr } = await home.run(args);
      assert.deepEqual([status, stderr], [0, '']);
      for (const command of ['connect', 'dev', 'emulator start', 'forward', 'listen']) {
        assert.match(stdout, new RegExp(`^ {2}${command} {2,}\\S`, 'm'));
      }
      assert.match(stdout, /START HERE/);
    });
  }

  for (const args of [
    ['listen', '--help'],
    ['help', 'listen'],
    ['forward', 'somewhere/db', '--help'],
    ['emulator', 'start', '--help'],
  ]) {
    it(`"hcm ${args.join(' ')}" explains the command`, async () => {
      const { status, stdout } = await home.run(args);
      assert.equal(status, 0);
      assert.match(stdout, /USAGE[^]+FLAGS[^]+EXAMPLES/);
    });
  }

  it('"hcm emulator" lists what the noun can do', async () => {
    const { status, stdout } = await home.run(['emulator']);
    assert.equal(status, 0);
    assert.match(stdout, /emulator start/);
  });

  for (const [typed, meant] of [
    ['lisen', 'listen'],
    ['foward', 'forward'],
    ['emu', 'emulator start'],
    ['start', 'emulator start'],
    ['emulator strat', 'emulator start'],
  ] as const) {
    it(`"hcm ${typed}" is status 2 and asks whether "hcm ${meant}" was meant`, async () => {
      const { status, stdout, stderr } = await home.run(typed.split(' '));
      assert.deepEqual([status, stdout], [2, '']);
      assert.match(stderr, new RegExp(`Did you mean "hcm ${meant}"\\?`));
    });
  }

  it('an unknown command with --json is one JSON document', async () => {
    const { status, stdout, stderr } = await home.run(['nothing-like-it', '--json']);
    const { error } = JSON.parse(stdout) as { error: Record<string, unknown> };
    assert.deepEqual([status, stderr, error['code'], error['exitStatus']], [2, '', 'HCM_USAGE', 2]);
  });

  it('help that nobody reads to the end is no error', async () => {
    const started = home.start(['--help']);
    started.child.stdout.destroy();
    const { stderr } = await started.ended;
    assert.equal(stderr, '');
  });
});
