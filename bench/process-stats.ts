/** CPU time and memory of whole process trees, from /proc. Linux only, as is the benchmark. */
import { readFileSync, readdirSync } from 'node:fs';

/** USER_HZ: /proc/<pid>/stat counts in hundredths of a second on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

interface Stat {
  parent: number;
  cpuSeconds: number;
  /** Of children that ended and were waited for. */
  endedSeconds: number;
}

/** Fields of /proc/<pid>/stat; the command in brackets may hold spaces, so count from its closing bracket. */
function readStat(pid: number): Stat | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    const seconds = (first: number) => (Number(fields[first]) + Number(fields[first + 1])) / TICKS_PER_SECOND;
    return { parent: Number(fields[1]), cpuSeconds: seconds(11), endedSeconds: seconds(13) };
  } catch {
    return undefined; // it ended
  }
}

/** The processes and all their descendants. */
export function treeOf(roots: number[]): number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const stat = readStat(Number(name));
    if (stat) parents.set(Number(name), stat.parent);
  }
  const tree = new Set(roots);
  for (let before = -1; before !== tree.size;) {
    before = tree.size;
    for (const [pid, parent] of parents) if (tree.has(parent)) tree.add(pid);
  }
  return [...tree];
}

/** CPU seconds, user and system, that the trees have used so far. */
export function cpuSeconds(roots: number[]): number {
  return treeOf(roots).reduce((sum, pid) => sum + (readStat(pid)?.cpuSeconds ?? 0), 0);
}

/** CPU seconds of a process, its descendants, and those of them that have ended already. */
export function treeSecondsWithEnded(root: number): number {
  return treeOf([root]).reduce((sum, pid) => {
    const stat = readStat(pid);
    return sum + (stat ? stat.cpuSeconds + stat.endedSeconds : 0);
  }, 0);
}

/** Resident memory of the trees in MiB. */
export function residentMiB(roots: number[]): number {
  let kib = 0;
  for (const pid of treeOf(roots)) {
    try {
      kib += Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
    } catch {
      // it ended
    }
  }
  return kib / 1024;
}
