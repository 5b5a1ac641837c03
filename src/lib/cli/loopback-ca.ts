/** The certificate of this user's emulator CA, for clients. Only loopback names are ever checked against it. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { statePaths } from '../config/paths.ts';

/** Undefined when no emulator was ever started here. */
export async function loadLoopbackCa(
  env: Readonly<Record<string, string | undefined>>,
): Promise<string | undefined> {
  return readFile(join(statePaths(env).caDirectory, 'ca.pem'), 'utf8').catch(() => undefined);
}
