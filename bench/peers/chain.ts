/** Starts the three processes of a path one after the other, and stops what already runs when a later one fails. */
import { bundled } from '../bundle.ts';
import { spawnReady, type Child, type ChildOptions } from '../children.ts';
import type { HttpEntry, PathPids, RunningPath } from './peer.ts';

/** A target is stopped with the path; its CPU and memory are nobody's. */
export type Role = keyof PathPids | 'target';

/** Something with a pid that can be stopped: a child, or a program that never says `ready`. */
export interface Running {
  readonly pid: number;
  stop(): Promise<void>;
}

/** The processes of one path while it is being built. */
export class Chain {
  private readonly children: { role: Role; child: Running }[] = [];

  /** Runs `build`, which gives the way in; what it started through this chain is stopped when it throws. */
  static async build(build: (chain: Chain) => Promise<number | HttpEntry>): Promise<RunningPath> {
    const chain = new Chain();
    try {
      const entry = await build(chain);
      const way = typeof entry === 'number' ? { entryPort: entry } : { entryPort: 0, http: entry };
      return { ...way, pids: chain.pids(), stop: () => chain.stop() };
    } catch (error) {
      await chain.stop();
      throw error;
    }
  }

  add<T extends Running>(role: Role, child: T): T {
    this.children.push({ role, child });
    return child;
  }

  /** Starts one of bench's own entry files in Node, its configuration as JSON in argv[2]. */
  async node(role: Role, entry: string, config: object, options: ChildOptions = {}): Promise<Child> {
    const args = [await bundled(entry), JSON.stringify(config)];
    return this.add(role, await spawnReady(process.execPath, args, options));
  }

  private pids(): PathPids {
    const of = (role: Role) => this.children.filter((one) => one.role === role).map(({ child }) => child.pid);
    return { sender: of('sender'), relay: of('relay'), listener: of('listener') };
  }

  private async stop(): Promise<void> {
    await Promise.all(this.children.map(({ child }) => child.stop()));
  }
}

/** The port in a ready line. */
export function portOf(child: Child): number {
  const port = child.ready['port'];
  if (typeof port !== 'number') throw new Error(`no port in ${JSON.stringify(child.ready)}`);
  return port;
}
