/**
 * Secrets in the keychain of the user who runs the manager: Keychain, Credential Manager, or a Secret Service. Each is
 * an entry of its own, since Windows takes 2,560 bytes.
 */
import { KeychainProcess, type KeychainProcessOptions } from './keychain-process.ts';
import type { SecretStore } from './secrets.ts';

/** What the entries are filed under; people see it in the keychain's own program. */
const SERVICE = 'hcm';

export interface Keychain {
  /** The secrets of one store; two stores of a user must not meet, so the store has an id of its own. */
  secretsOf(storeId: string): SecretStore;
  close(): void;
}

/** Nothing is started or loaded before the first secret is asked for. */
export function openKeychain(options: KeychainProcessOptions): Keychain {
  const keychain = new KeychainProcess(options);
  return {
    secretsOf(storeId) {
      const entry = (name: string) => ({ service: SERVICE, account: `${name} (${storeId})` });
      return {
        load: (name) => keychain.ask({ act: 'load', ...entry(name) }),
        save: async (name, secret) => void (await keychain.ask({ act: 'save', ...entry(name), secret })),
        remove: async (name) => void (await keychain.ask({ act: 'remove', ...entry(name) })),
      };
    },
    close: () => keychain.close(),
  };
}
