// The README as a stranger reads it: its commands pasted one block after the other, and its program for the library
// compiled and run, each giving what the README says. Only ports are others, so that nothing else is in the way.
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from './servers/free-port.ts';
import { runCommand } from './servers/run-command.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const STRICT = ['--strict', '--noUncheckedIndexedAccess', '--exactOptionalPropertyTypes'];

describe('the README', () => {
  let home: string;
  let readme: string;

  before(async () => {
    readme = await readFile(join(ROOT, 'README.md'), 'utf8');
  });
  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'hcm-readme-'));
  });
  afterEach(() => rm(home, { recursive: true, force: true }));

  /** The fenced blocks of a section, by their language. */
  function blocksOf(heading: string, language: string): string[] {
    const [, section = ''] = readme.split(`\n## ${heading}\n`);
    const [text = ''] = section.split('\n## ');
    return [...text.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms'))].map(
      ([, block = '']) => block,
    );
  }

  it('part by part: the commands, in their order, print what stands below them', async () => {
    const commands = blocksOf('The same, part by part', 'sh');
    const [printed] = blocksOf('The same, part by part', 'text');
    assert.equal(commands.length, 4);
    const [install = '', ...others] = commands;
    const [targetPort, localPort] = [await freePort(), await freePort()];
    const script = [
      'set -e',
      // A command that fails leaves none of the others behind.
      "trap 'kill $(jobs -p) 2>/dev/null || true' EXIT",
      `cd '${ROOT}'`,
      install,
      `cd '${home}'`,
      ...others.map((block) =>
        block
          .replace('hcm emulator start', 'hcm emulator start --port 0')
          .replaceAll('8000', String(targetPort))
          .replaceAll('8001', String(localPort)),
      ),
      'kill %1 %2 %3 %4',
      'wait',
    ];
    const env: NodeJS.ProcessEnv = { PATH: process.env['PATH'], HOME: home };
    const { stdout } = await runCommand('bash', ['-c', script.join('\n')], { env, timeoutMs: 60_000 });
    assert.equal(stdout.replace(/^127\.0\.0\.1:.* -> .*\n/gm, ''), printed);
  });

  it('as a library: its program runs, and prints what it says', async () => {
    const [program = ''] = blocksOf('As a library', 'ts');
    const [, printed = ''] = /^console\.log.* \/\/ (\w+)$/m.exec(program) ?? [];
    assert.equal(printed, 'hello');
    await packageFolder();
    await writeFile(join(home, 'program.mts'), program.replaceAll('7000', String(await freePort())));
    await compile(['program.mts']);
    const { stdout, stderr } = await runCommand(process.execPath, ['program.mjs'], { cwd: home });
    assert.deepEqual([stdout, stderr], [`${printed}\n`, '']);
  });

  it('and all pages: every program in them compiles under strict rules', async () => {
    const names: string[] = [];
    await packageFolder();
    for (const page of ['README.md', ...(await readdir(join(ROOT, 'docs'))).map((name) => `docs/${name}`)]) {
      if (!page.endsWith('.md')) continue;
      const text = await readFile(join(ROOT, page), 'utf8');
      for (const [, program = ''] of text.matchAll(/^```ts\n(.*?)^```$/gms)) {
        names.push(`${page.replace(/\W/g, '-')}-${names.length}.mts`);
        await writeFile(join(home, names.at(-1) ?? ''), program);
      }
    }
    assert.ok(names.length >= 8, `${names.length} programs`);
    await compile(['--noEmit', '--skipLibCheck', ...names]);
  });

  /** A folder of somebody who has installed the package, and what its examples use besides. */
  async function packageFolder(): Promise<void> {
    await mkdir(join(home, 'node_modules', '@types'), { recursive: true });
    await symlink(ROOT, join(home, 'node_modules', 'hcm-cli'));
    for (const name of ['@types/node', '@azure'])
      await symlink(join(ROOT, 'node_modules', name), join(home, 'node_modules', name));
  }

  /** Says what is wrong by rejecting with the compiler's words. */
  async function compile(args: readonly string[]): Promise<void> {
    const compiler = join(ROOT, 'node_modules', '.bin', 'tsc');
    const target = ['--module', 'nodenext', '--target', 'es2023', '--types', 'node'];
    await runCommand(compiler, [...STRICT, ...target, ...args], { cwd: home });
  }
});
