/**
 * A package in the place of the native one, for the process that asks the keychain: keeps its entries in a file, and
 * behaves as its name says where the account asks for it.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Writes it into the folder; resolves its path. Accounts that hold "hang", "locked" or "crash" do that. */
export function writeKeychainPackage(folder: string): string {
  const path = join(folder, 'keychain.cjs');
  const entries = JSON.stringify(join(folder, 'keychain.json'));
  writeFileSync(
    path,
    `const { readFileSync, writeFileSync } = require('node:fs');
const load = () => { try { return JSON.parse(readFileSync(${entries}, 'utf8')); } catch { return {}; } };
const save = (all) => writeFileSync(${entries}, JSON.stringify(all));
exports.Entry = class {
  constructor(service, account, options) {
    this.key = service + ' ' + account + ' ' + options.linux.store;
    if (account.includes('hang')) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    if (account.includes('crash')) process.kill(process.pid, 'SIGKILL');
    if (account.includes('locked')) throw new Error('unlock prompt was dismissed; SharedAccessKey=abc');
  }
  getPassword() { return load()[this.key] ?? null; }
  setPassword(secret) { save({ ...load(), [this.key]: secret }); }
  deleteCredential() { const all = load(); delete all[this.key]; save(all); return true; }
};
`,
  );
  return path;
}
