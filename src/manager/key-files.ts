/**
 * The files beside hcm.yaml that hold connection strings: a key that was changed goes into the connections that take it from
 * there, and what is no good in such a file is a problem of the manager. Watches none of them.
 */
import { asHcmError } from '../tunnel/emitter.ts';
import type { ManagedConnection } from './managed-connection.ts';
import type { ManagerProblems } from './manager-problems.ts';
import { keyFileOf } from './specs.ts';

export class KeyFiles {
  readonly #connections: () => readonly ManagedConnection[];
  readonly #problems: ManagerProblems;
  /** Those in which something was no good. */
  readonly #faulty = new Set<string>();

  /** `connections`: those that run now. */
  constructor(connections: () => readonly ManagedConnection[], problems: ManagerProblems) {
    this.#connections = connections;
    this.#problems = problems;
  }

  /** Each once. */
  get paths(): readonly string[] {
    return [...new Set(this.#connections().flatMap(({ spec }) => keyFileOf(spec) ?? []))];
  }

  /** Its connections take the new key; one that is no good changes nothing, and is told. True: it was taken. */
  async changed(path: string): Promise<boolean> {
    const concerned = this.#connections().filter(({ spec }) => keyFileOf(spec) === path);
    const outcomes = await Promise.allSettled(concerned.map((one) => one.renewKey()));
    const [failure] = outcomes.flatMap((one) => (one.status === 'rejected' ? [asHcmError(one.reason)] : []));
    if (failure) {
      // Meanwhile other connections may run, and none that names it.
      if (!this.paths.includes(path)) return false;
      this.#faulty.add(path);
      this.#problems.add('key file', failure, keyOf(path));
      return false;
    }
    this.#forget(path);
    return concerned.length > 0;
  }

  /** Other connections run now: what none of them names any more is no problem either. */
  follow(): void {
    const { paths } = this;
    for (const path of this.#faulty) if (!paths.includes(path)) this.#forget(path);
  }

  #forget(path: string): void {
    this.#faulty.delete(path);
    this.#problems.clear(keyOf(path));
  }
}

function keyOf(path: string): string {
  return `key file ${path}`;
}
