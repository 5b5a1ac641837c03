/**
 * How much of the machine others used while we measured: the kernel's busy time less that of our own process tree.
 * A figure taken beside a test run is worth little, and the report must be able to say so.
 */
import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { treeSecondsWithEnded } from './process-stats.ts';

const ticksPerSecond = 100;

interface Reading {
  at: number;
  busy: number;
  own: number;
}

/** Busy seconds of all cores; time stolen by the host counts, as it is no more ours than another process's. */
function read(): Reading {
  const fields = readFileSync('/proc/stat', 'utf8')
    .split('\n', 1)[0]!
    .trim()
    .split(/\s+/)
    .slice(1)
    .map(Number);
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = fields;
  return {
    at: performance.now() / 1000,
    busy: (user + nice + system + irq + softirq + steal) / ticksPerSecond,
    own: treeSecondsWithEnded(process.pid),
  };
}

/** TCP segments sent again. Loopback loses nothing: these are timers that fired since the cores were overcommitted. */
function retransmits(): number {
  const lines = readFileSync('/proc/net/snmp', 'utf8').split('\n');
  const [names, values] = lines.filter((line) => line.startsWith('Tcp:')).map((line) => line.split(' '));
  return Number(values?.[names?.indexOf('RetransSegs') ?? 0] ?? 0);
}

export interface Noise {
  /** The share of the machine, 0 to 1, that others had. */
  noise: number;
  retransmits: number;
}

/** Runs `work` and returns its result with what disturbed it meanwhile. */
export async function withNoise<T>(work: () => Promise<T>): Promise<{ result: T } & Noise> {
  const [before, sentAgain] = [read(), retransmits()];
  const result = await work();
  const after = read();
  const machine = (after.at - before.at) * cpus().length;
  const others = after.busy - before.busy - (after.own - before.own);
  const noise = Math.min(1, Math.max(0, others / machine));
  return { result, noise, retransmits: retransmits() - sentAgain };
}
