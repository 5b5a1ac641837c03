/** What the numbers depend on: versions, machine, load; kept with every result. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { checkoutDir } from './places.ts';

export interface Surroundings {
  time: string;
  commit: string;
  cores: number;
  cpu: string;
  kernel: string;
  memoryGiB: number;
  loadAverage: number[];
  versions: Record<string, string>;
}

export function surroundings(): Surroundings {
  return {
    time: new Date().toISOString(),
    commit: firstLineOf('git', ['-C', checkoutDir, 'describe', '--always', '--dirty']),
    cores: cpus().length,
    cpu: cpus()[0]?.model ?? 'unknown',
    kernel: release(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    loadAverage: loadavg().map((value) => Math.round(value * 100) / 100),
    versions: {
      node: process.version,
      openssl: process.versions.openssl,
      haproxy: firstLineOf('haproxy', ['-v']),
      openssh: firstLineOf('sh', ['-c', 'ssh -V 2>&1']),
      cc: firstLineOf('cc', ['--version']),
      ws: packageVersion('ws'),
      bufferutil: packageVersion('bufferutil'),
    },
  };
}

function firstLineOf(command: string, args: string[]): string {
  try {
    const output = execFileSync(command, args, { stdio: ['ignore', 'pipe', 'ignore'] });
    return output.toString().split('\n')[0] ?? '';
  } catch {
    return 'absent';
  }
}

function packageVersion(name: string): string {
  try {
    const text = readFileSync(join(checkoutDir, 'node_modules', name, 'package.json'), 'utf8');
    return (JSON.parse(text) as { version: string }).version;
  } catch {
    return 'absent';
  }
}
