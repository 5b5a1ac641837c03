/** The certificate of this user's emulator CA, for clients. Only loopback names are ever checked against it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { statePaths } from '../config/paths.ts';

/** Undefined when no emulator was ever started here. */
export function readLoopbackCa(env: Readonly<Record<string, string | undefined>>): string | undefined {
  try {
    return readFileSync(join(statePaths(env).caDirectory, 'ca.pem'), 'utf8');
  } catch {
    return undefined;
  }
}
