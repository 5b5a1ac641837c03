/**
 * The door of the manager: a Unix socket (or a named pipe) whose file says who may come. It is also what tells that a
 * manager runs: a second one on the same folder finds it answered.
 */
import { chmod, chown, lstat, unlink } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { makeFolder } from '../../lib/config/make-folder.ts';
import { HcmError } from '../../protocol/errors.ts';
import { checkSocketFolder } from './socket-folder.ts';

/** Linux takes 107 bytes (unix(7), less the final zero); a longer path would be cut, silently. */
const PATH_MAX_BYTES = 107;
/**
 * Whoever cleans up temporary folders may take the file away: then nobody could ask the manager, and a second one would
 * start beside it. One lstat(2) each time.
 */
const LOOK_MS = 2_000;
/** Each follower costs memory; nobody has so many terminals. */
const CONNECTIONS_MAX = 256;

export interface ControlSocketOptions {
  path: string;
  /** Id of the group that may use it, of a service; undefined: its user alone. */
  groupId?: number | undefined;
  serve: RequestListener;
  /** How often it is looked whether the file is still there, in ms. */
  lookMs?: number;
}

export interface ControlSocket {
  /** Takes no more calls, cuts those that are open, and removes its file. */
  close(): Promise<void>;
}

/** @throws HcmError HCM_STATE_LOCKED when a manager answers there, HCM_BIND_FAILED. */
export async function openControlSocket(options: ControlSocketOptions): Promise<ControlSocket> {
  const { path, serve } = options;
  // A request must come within Node's own limits; an answer, such as the one of a follower, may take for ever.
  const server = createServer(serve);
  server.maxConnections = CONNECTIONS_MAX;
  try {
    if (isPipe(path)) await listen(server, path);
    else await listenOnFile(server, options);
  } catch (error) {
    server.close();
    if (error instanceof HcmError) throw error;
    const cause = (error as NodeJS.ErrnoException).code ?? (error as Error).message;
    throw new HcmError('HCM_BIND_FAILED', `The manager cannot open its socket ${path}: ${cause}.`, {
      details: {
        bind: path,
        cause,
        next: 'Name another place in HCM_CONTROL_SOCKET, for the manager and for commands',
      },
    });
  }
  const stopLooking = isPipe(path) ? () => Promise.resolve() : keepFile(server, options);
  return {
    close: async () => {
      await stopLooking();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };
}

/** Makes the file again when it has gone; calls that are open go on. Resolves, once it does so no more. */
function keepFile(server: Server, options: ControlSocketOptions): () => Promise<void> {
  let looking = Promise.resolve();
  let isLooking = false;
  const look = async () => {
    const isGone = await lstat(options.path).then(
      () => false,
      (error: NodeJS.ErrnoException) => error.code === 'ENOENT',
    );
    if (!isGone) return;
    // First: it would remove the new file.
    if (server.listening) server.close();
    // What fails now is tried again.
    await listenOnFile(server, options).catch(() => undefined);
  };
  const timer = setInterval(() => {
    if (isLooking) return;
    isLooking = true;
    looking = look().finally(() => (isLooking = false));
  }, options.lookMs ?? LOOK_MS);
  timer.unref();
  return () => {
    clearInterval(timer);
    return looking;
  };
}

async function listenOnFile(server: Server, { path, groupId }: ControlSocketOptions): Promise<void> {
  if (Buffer.byteLength(path) > PATH_MAX_BYTES)
    throw new Error(`its path is longer than ${PATH_MAX_BYTES} bytes`);
  const isShared = groupId !== undefined;
  await makeFolder(dirname(path), isShared ? 0o750 : 0o700);
  checkSocketFolder(path);
  if (await isAnswered(path)) throw alreadyRunning(path);
  const found = await lstat(path).catch(() => undefined);
  if (found && !found.isSocket()) throw new Error('a file that is no socket is in its place');
  if (found) await unlink(path);
  // Until the file has its rights, those of its folder keep others away.
  await listen(server, path);
  // A sandbox may forbid chown altogether; a file of ours has our own group anyway.
  if (isShared && (await lstat(path)).gid !== groupId) await chown(path, -1, groupId);
  await chmod(path, isShared ? 0o660 : 0o600);
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException) =>
      reject(error.code === 'EADDRINUSE' ? alreadyRunning(path) : error);
    server.once('error', fail);
    server.listen(path, () => {
      server.off('error', fail);
      resolve();
    });
  });
}

/** Not for us; too many wait to be let in, such as when its loop is stuck. */
const THERE_ALL_THE_SAME = new Set(['EACCES', 'EAGAIN']);

/** Somebody is there, even if not for us. */
export function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect({ path });
    probe.once('error', (error: NodeJS.ErrnoException) => resolve(THERE_ALL_THE_SAME.has(error.code ?? '')));
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
  });
}

function alreadyRunning(path: string): HcmError {
  return new HcmError('HCM_STATE_LOCKED', `A manager runs already: it answers at ${path}.`, {
    details: { socket: path, next: 'hcm status' },
  });
}

function isPipe(path: string): boolean {
  return path.startsWith('\\\\');
}
