/** What is wrong with the manager itself: by what it is about, so that one that is mended goes away. */
import { remedyOf } from '../lib/error-table.ts';
import type { HcmError } from '../protocol/errors.ts';
import type { ReasonView } from './control/operations.ts';

type About = 'file' | 'key file' | 'store' | 'secrets' | 'clock';

export class ManagerProblems {
  readonly #reasons = new Map<string, ReasonView>();
  readonly #tell: (about: About, error: HcmError) => void;

  constructor(tell: (about: About, error: HcmError) => void) {
    this.#tell = tell;
  }

  get all(): ReasonView[] {
    return [...this.#reasons.values()];
  }

  /** `key`: where there may be several about one thing. */
  add(about: About, error: HcmError, key: string = about): void {
    const { code, message } = error;
    const known = this.#reasons.get(key);
    // Looked at again, it is the same still.
    if (known?.code === code && known.message === message) return;
    this.#reasons.set(key, { code, message, next: remedyOf(error) });
    this.#tell(about, error);
  }

  /** These are all that is wrong about it now, each with a message of its own. */
  replace(about: About, errors: readonly HcmError[]): void {
    const found = new Map(errors.map((error) => [`${about}: ${error.message}`, error]));
    for (const key of this.#reasons.keys())
      if (key.startsWith(`${about}: `) && !found.has(key)) this.clear(key);
    for (const [key, error] of found) this.add(about, error, key);
  }

  clear(key: string): void {
    this.#reasons.delete(key);
  }
}
