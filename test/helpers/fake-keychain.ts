/** A keychain in memory that a test locks, breaks and looks into. */
import type { Keychain } from '../../src/manager/keychain-secrets.ts';
import { HcmError } from '../../src/protocol/errors.ts';

export class FakeKeychain implements Keychain {
  /** By `name (store)`. */
  readonly entries = new Map<string, string>();
  locked = false;
  /** Called before each act; may throw to be killed there. */
  before: (act: 'load' | 'save' | 'remove', name: string) => void = () => undefined;
  acts = 0;

  secretsOf(storeId: string): ReturnType<Keychain['secretsOf']> {
    const act = <T>(what: 'load' | 'save' | 'remove', name: string, then: (key: string) => T): Promise<T> => {
      this.acts += 1;
      if (this.locked) return Promise.reject(locked());
      try {
        this.before(what, name);
      } catch (error) {
        return Promise.reject(error instanceof Error ? error : new Error(String(error)));
      }
      return Promise.resolve(then(`${name} (${storeId})`));
    };
    return {
      load: (name) => act('load', name, (key) => this.entries.get(key)),
      save: (name, secret) => act('save', name, (key) => void this.entries.set(key, secret)),
      remove: (name) => act('remove', name, (key) => void this.entries.delete(key)),
    };
  }

  close(): void {
    // Nothing is open.
  }
}

function locked(): HcmError {
  return new HcmError('HCM_KEYCHAIN_UNAVAILABLE', 'It is locked.', { details: { refused: true } });
}
