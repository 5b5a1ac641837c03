/** The start-up figures: how long a command takes from spawn to exit, and the emulator inside a process. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { bundled } from './bundle.ts';
import { childEnv, spawnReady } from './children.ts';
import type { EmulatorStartConfig } from './ours/entry.ts';
import { programFile } from './ours.ts';
import { checkoutDir } from './places.ts';
import type { Effort, Sample, Workload } from './workloads.ts';

export type StartUpWorkload = Workload & { kind: 'command' | 'emulator-start' };

/** True for the workloads of this file, which run without a path. */
export function isStartUp(workload: Workload): workload is StartUpWorkload {
  return workload.kind === 'command' || workload.kind === 'emulator-start';
}

/** Runs one of them a few times and gives the median in ms. */
export async function measureStartUp(workload: StartUpWorkload, { scale }: Effort): Promise<Sample> {
  const times: number[] = [];
  for (let i = 0; i < Math.max(3, Math.round(5 * scale)); i++) {
    times.push(workload.kind === 'command' ? await timeCommand(workload) : await timeEmulator());
  }
  times.sort((a, b) => a - b);
  return { ms: times[Math.floor(times.length / 2)] ?? Number.NaN };
}

async function timeCommand({ program, args }: Workload & { kind: 'command' }): Promise<number> {
  if (program === 'hcm' && !existsSync(join(checkoutDir, 'dist')))
    throw new Error('dist is missing (npm run build)');
  const start = performance.now();
  const argv = program === 'hcm' ? [programFile, ...args] : args;
  const child = spawn(process.execPath, argv, { stdio: 'ignore', env: childEnv() });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject).once('exit', resolve);
  });
  if (code !== 0) throw new Error(`${program} ${args.join(' ')} exited with ${code}`);
  return performance.now() - start;
}

async function timeEmulator(): Promise<number> {
  const config: EmulatorStartConfig = { library: join(checkoutDir, 'dist', 'index.js') };
  const entry = await bundled('ours/emulator-start.ts');
  const child = await spawnReady(process.execPath, [entry, JSON.stringify(config)]);
  await child.stop();
  return Number(child.ready['ms']);
}
