// A fresh directory for one real server: everything it writes goes there, and goes away with it.
import { chmod, chown, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { credentialsOf } from './process.ts';

/** What every real server gives back. Each adds what its clients need. */
export interface RealServer {
  readonly host: string;
  readonly port: number;
  /** Ends the process with everything it started and removes its directory. May be called twice. */
  stop(): Promise<void>;
}

/** Makes a directory that everyone may enter (a server drops its privileges) and `owner` may write. */
async function createServerDirectory(
  name: string,
  owner?: string,
): Promise<{ path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), `hcm-real-${name}-`));
  await chmod(path, 0o755);
  const credentials = owner === undefined ? undefined : credentialsOf(owner);
  if (credentials !== undefined) await chown(path, credentials.uid, credentials.gid);
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

/** Runs the start of a server in its directory; removes the directory when that fails. */
export async function inServerDirectory<T extends RealServer>(
  name: string,
  owner: string | undefined,
  start: (path: string) => Promise<T>,
): Promise<T> {
  const directory = await createServerDirectory(name, owner);
  try {
    const server = await start(directory.path);
    const stop = async (): Promise<void> => {
      await server.stop();
      await directory.remove();
    };
    return { ...server, stop };
  } catch (error) {
    await directory.remove();
    throw error;
  }
}
