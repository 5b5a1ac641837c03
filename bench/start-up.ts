/**
 * The start-up figures: how long a command takes from spawn to exit, or to its first request of Azure, and the emulator
 * inside a process.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { bundled } from './bundle.ts';
import { childEnv, spawnReady, type Child, type Line } from './children.ts';
import type { EmulatorStartConfig } from './ours/entry.ts';
import { programFile } from './ours.ts';
import { checkoutDir, scratchDir } from './places.ts';
import type { Effort, Sample, Workload } from './workloads.ts';

export type StartUpWorkload = Workload & { kind: 'command' | 'azure-command' | 'emulator-start' };

/** True for the workloads of this file, which run without a path. */
export function isStartUp(workload: Workload): workload is StartUpWorkload {
  return ['command', 'azure-command', 'emulator-start'].includes(workload.kind);
}

/** Runs one of them a few times and gives the median in ms. */
export async function measureStartUp(workload: StartUpWorkload, { scale }: Effort): Promise<Sample> {
  const times = Math.max(3, Math.round(5 * scale));
  switch (workload.kind) {
    case 'command':
      return medianOf(times, () => timeCommand(workload));
    case 'azure-command':
      return withAzure((azure) => medianOf(times, () => timeToAzure(workload, azure)));
    case 'emulator-start':
      return medianOf(times, timeEmulator);
  }
}

async function medianOf(times: number, measure: () => Promise<number>): Promise<Sample> {
  const measured: number[] = [];
  for (let i = 0; i < times; i++) measured.push(await measure());
  measured.sort((a, b) => a - b);
  return { ms: measured[Math.floor(measured.length / 2)] ?? Number.NaN };
}

async function timeCommand({ program, args }: Workload & { kind: 'command' }): Promise<number> {
  const start = performance.now();
  await runToEnd(program === 'hcm' ? builtProgram(args) : args, {});
  return performance.now() - start;
}

/** The emulator as the cloud `local` of a home of its own. */
const azureEnv = () => ({ HCM_STATE_DIR: scratchDir('azure'), HCM_CLOUD: 'local' });

async function withAzure(use: (azure: Child) => Promise<Sample>): Promise<Sample> {
  const argv = builtProgram(['emulator', 'start', '--port', '0', '--ephemeral', '--register', '--json']);
  const azure = await spawnReady(process.execPath, argv, { env: azureEnv() });
  try {
    return await use(azure);
  } finally {
    await azure.stop();
  }
}

/** Until the emulator has answered the first request, by its own clock, which is the one of this machine. */
async function timeToAzure({ args }: Workload & { kind: 'azure-command' }, azure: Child): Promise<number> {
  const startMs = Date.now();
  const timeOf = (line: Line) => Date.parse(String(line['time']));
  await runToEnd(builtProgram(args), azureEnv());
  return timeOf(await azure.line((line) => line['event'] === 'arm' && timeOf(line) >= startMs)) - startMs;
}

function builtProgram(args: string[]): string[] {
  if (!existsSync(join(checkoutDir, 'dist'))) throw new Error('dist is missing (npm run build)');
  return [programFile, ...args];
}

async function runToEnd(argv: string[], env: Record<string, string>): Promise<void> {
  const child = spawn(process.execPath, argv, { stdio: 'ignore', env: childEnv(env) });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject).once('exit', resolve);
  });
  if (code !== 0) throw new Error(`node ${argv.join(' ')} exited with ${code}`);
}

async function timeEmulator(): Promise<number> {
  const config: EmulatorStartConfig = { library: join(checkoutDir, 'dist', 'index.js') };
  const entry = await bundled('ours/emulator-start.ts');
  const child = await spawnReady(process.execPath, [entry, JSON.stringify(config)]);
  await child.stop();
  return Number(child.ready['ms']);
}
