/**
 * Drives the load program: compiles it when there is a C compiler, else falls back to the Node one, which knows the
 * same modes. A measurement is one short process; streams that must be held live until their `release`.
 */
import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { bundled } from '../bundle.ts';
import { spawnQuiet, spawnReady, type Child, type Line } from '../children.ts';
import { benchDir, scratchDir } from '../places.ts';

export interface Load {
  /** False: the generator is Node, and a fast path may be limited by it. */
  readonly native: boolean;
  /** Starts the sink; its port is `ready.port`. */
  serve(): Promise<Child>;
  /** Runs one mode against a port and returns the numbers it printed; rejects on a wrong length or a dead stream. */
  run(mode: string, port: number, ...args: number[]): Promise<Record<string, number>>;
  /** Starts a mode that holds its streams; ends with `endInput` (it may print numbers then) or `stop`. */
  hold(mode: string, port: number, ...args: number[]): Promise<Child>;
}

/** The native load program, else the Node one. */
export async function createLoad(): Promise<Load> {
  const binary = await compile();
  const command: [string, ...string[]] = binary
    ? [binary]
    : [process.execPath, await bundled('load/load-node.ts')];
  const [program, ...first] = command;
  return {
    native: binary !== undefined,
    serve: () => spawnReady(program, [...first, 'serve']),
    async run(mode, port, ...args) {
      const child = spawnQuiet(program, [...first, mode, String(port), ...args.map(String)]);
      try {
        return numbersOf(await child.line(() => true, 90_000));
      } catch (error) {
        throw new Error(`${mode} ${args.join(' ')}: ${(error as Error).message}`, { cause: error });
      } finally {
        await child.stop();
      }
    },
    hold: (mode, port, ...args) =>
      spawnReady(program, [...first, mode, String(port), ...args.map(String)], { timeoutMs: 60_000 }),
  };
}

async function compile(): Promise<string | undefined> {
  if (process.env['HCM_BENCH_LOAD'] === 'node') return undefined;
  const source = join(benchDir, 'load');
  const files = readdirSync(source).filter((name) => name.endsWith('.c'));
  const binary = join(scratchDir('load'), 'load');
  try {
    await promisify(execFile)('cc', ['-O2', '-o', binary, ...files.map((name) => join(source, name))]);
    return binary;
  } catch {
    return undefined; // no compiler: `native` is false, and run.ts says so
  }
}

function numbersOf(line: Line): Record<string, number> {
  return Object.fromEntries(
    Object.entries(line).flatMap(([name, value]) => (typeof value === 'number' ? [[name, value]] : [])),
  );
}
