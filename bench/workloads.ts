/** What is done to a path in one measurement, and the numbers that come out of it. Bytes are decimal: 1 GB = 1e9. */
import { setTimeout as sleep } from 'node:timers/promises';
import { isHttp, measureHttp, warmUpHttp } from './http/measure.ts';
import type { Load } from './load/load.ts';
import type { PathPids, RunningPath } from './peers/peer.ts';
import { cpuSeconds, residentMiB } from './process-stats.ts';

export type Workload =
  /** N streams in one direction. */
  | { kind: 'bulk'; direction: 'up' | 'down'; streams: number; gigabytes: number }
  /** One byte there and back on one stream, alone, beside one bulk stream, or beside idle streams. */
  | { kind: 'ping'; besideBulk?: boolean; besideIdle?: number }
  /** A new stream every 20 ms. */
  | { kind: 'paced' }
  /** New streams, 50 in flight. */
  | { kind: 'storm' }
  /** Memory of N open, silent streams. Wants a path of its own. */
  | { kind: 'idle'; streams: number }
  /** Memory of N streams whose target reads nothing. Wants a path of its own. */
  | { kind: 'stall'; streams: number }
  /** Small GETs over connections that stay open, so many at once. */
  | { kind: 'http-get'; atOnce: number }
  /** One request with a large body, or with a large answer. */
  | { kind: 'http-bulk'; direction: 'up' | 'down'; megabytes: number }
  /** Wall-clock time of a process from spawn to exit (start-up.ts); needs no path. */
  | { kind: 'command'; args: string[]; program: 'node' | 'hcm' }
  /** From spawn to the command's first request of Resource Manager, the emulator's; signing in is in it. No path. */
  | { kind: 'azure-command'; args: string[] }
  /** The emulator inside a process, to `ready`; needs no path. */
  | { kind: 'emulator-start' };

/** Metrics by name. */
export type Sample = Record<string, number>;

/** What a measurement may do smaller when the run must be short; 1 for the standard run. */
export interface Effort {
  scale: number;
}

/** V8 compiles what has run often. After 200 MB, which are 800 reads of ours, little of that has happened. */
const warmUpBytes = 2e9;
const firstBytes = 200e6;
const warmUpSeconds = 2;
const warmUpPings = 2000;
const warmUpStreamCount = 4000;
const warmUpStreamsLimitMs = 20_000;
const secondsToSettle = 1.5;

/** Memory is compared with the path's own start, so these do not share a path with anything. */
export function wantsFreshPath(workload: Workload): boolean {
  return workload.kind === 'idle' || workload.kind === 'stall';
}

/**
 * Makes a path warm for what will follow: 2 GB in each direction that is measured, 200 MB upwards if none is, and new
 * streams or single bytes where those are measured: compiled code is compared with compiled code.
 */
export async function warmUp(
  load: Load,
  path: RunningPath,
  workloads: Workload[],
  { scale }: Effort,
): Promise<void> {
  if (path.http) return warmUpHttp(path, workloads.filter(isHttp));
  const kinds = new Set(workloads.map(({ kind }) => kind));
  const directions = new Set(workloads.flatMap((one) => (one.kind === 'bulk' ? [one.direction] : [])));
  if (directions.size === 0) await load.run('up', path.entryPort, 1, firstBytes);
  for (const direction of directions) await load.run(direction, path.entryPort, 1, warmUpBytes * scale);
  if (kinds.has('storm') || kinds.has('paced')) await warmUpStreams(load, path);
  if (kinds.has('ping')) await load.run('ping', path.entryPort, warmUpPings, warmUpSeconds);
}

/** By their number: what compiles code is how often it ran, on a slow machine as on a fast one. */
async function warmUpStreams(load: Load, path: RunningPath): Promise<void> {
  const end = performance.now() + warmUpStreamsLimitMs;
  for (let streams = 0; streams < warmUpStreamCount && performance.now() < end;) {
    streams += (await load.run('storm', path.entryPort, 50, warmUpSeconds))['count'] ?? 0;
  }
}

/** Runs one workload through a running path. */
export async function measure(
  load: Load,
  path: RunningPath,
  workload: Workload,
  effort: Effort,
): Promise<Sample> {
  switch (workload.kind) {
    case 'bulk':
      return measureBulk(load, path, workload, effort);
    case 'ping':
      return measurePing(load, path, workload, effort);
    case 'paced':
      return load.run('paced', path.entryPort, Math.round(75 * effort.scale), 20);
    case 'storm':
      return measureStorm(load, path, effort);
    case 'idle':
    case 'stall':
      return measureMemory(load, path, workload);
    case 'http-get':
    case 'http-bulk':
      return measureHttp(path, workload, effort);
    case 'command':
    case 'azure-command':
    case 'emulator-start':
      throw new Error(`${workload.kind} needs no path`);
  }
}

async function measureBulk(
  load: Load,
  { entryPort, pids }: RunningPath,
  { direction, streams, gigabytes }: Workload & { kind: 'bulk' },
  { scale }: Effort,
): Promise<Sample> {
  const before = perRole(pids, cpuSeconds);
  const { seconds, bytes } = await load.run(
    direction,
    entryPort,
    streams,
    Math.round(gigabytes * 1e9 * scale),
  );
  const after = perRole(pids, cpuSeconds);
  if (!seconds || !bytes) throw new Error('no numbers');
  const perGb = (role: keyof PathPids) => (after[role] - before[role]) / (bytes / 1e9);
  const [senderCpu, relayCpu, listenerCpu] = [perGb('sender'), perGb('relay'), perGb('listener')];
  return {
    mbPerSecond: bytes / 1e6 / seconds,
    senderCpu,
    relayCpu,
    listenerCpu,
    clientCpu: senderCpu + listenerCpu,
    totalCpu: senderCpu + relayCpu + listenerCpu,
  };
}

async function measurePing(
  load: Load,
  { entryPort }: RunningPath,
  { besideBulk, besideIdle }: Workload & { kind: 'ping' },
  { scale }: Effort,
): Promise<Sample> {
  const neighbour = besideBulk
    ? await load.hold('flood', entryPort, 1)
    : besideIdle
      ? await load.hold('idle', entryPort, besideIdle)
      : undefined;
  try {
    return await load.run('ping', entryPort, Math.round(8000 * scale), 2 * scale);
  } finally {
    await neighbour?.stop();
    if (neighbour) await sleep(200);
  }
}

async function measureStorm(load: Load, { entryPort }: RunningPath, { scale }: Effort): Promise<Sample> {
  const sample = await load.run('storm', entryPort, 50, 1.5 * scale);
  const { count = 0, failed = 0 } = sample;
  if (failed > count / 100) throw new Error(`${failed} of ${count + failed} new streams failed`);
  await sleep(200); // let the last ones go
  return sample;
}

async function measureMemory(
  load: Load,
  { entryPort, pids }: RunningPath,
  { kind, streams }: Workload & { kind: 'idle' | 'stall' },
): Promise<Sample> {
  await load.run('ping', entryPort, 500, 1); // every line of code has run once
  const before = perRole(pids, residentMiB);
  const held = await load.hold(kind, entryPort, streams);
  try {
    await sleep(secondsToSettle * 1000);
    const after = perRole(pids, residentMiB);
    const [sender, relay, listener] = [
      after.sender - before.sender,
      after.relay - before.relay,
      after.listener - before.listener,
    ];
    const written = Number(held.ready['written'] ?? 0) / 1024 / 1024;
    return {
      senderMiB: sender,
      relayMiB: relay,
      listenerMiB: listener,
      clientMiB: Math.max(sender, listener),
      worstMiB: Math.max(sender, relay, listener),
      worstMiBPerStream: Math.max(sender, relay, listener) / streams,
      ...(kind === 'stall' && { writtenMiB: written }),
    };
  } finally {
    await held.stop();
  }
}

function perRole(pids: PathPids, count: (pids: number[]) => number): Record<keyof PathPids, number> {
  return { sender: count(pids.sender), relay: count(pids.relay), listener: count(pids.listener) };
}
