/** Small texts that come from outside: secrets and certificates, from a file or from stdin. */
import { readFile, stat } from 'node:fs/promises';
import { HcmError } from '../../protocol/errors.ts';
import type { Output } from './output.ts';

/** No connection string, password or CA bundle is larger; a wrong path (a disk image) should not be read to its end. */
const INPUT_MAX_BYTES = 1_048_576;
const OTHERS_MAY_READ = 0o077;

/** @throws HcmError HCM_FILE_UNREADABLE, naming the file. */
export async function readInputFile(path: string): Promise<string> {
  try {
    const { size } = await stat(path);
    if (size > INPUT_MAX_BYTES) throw new Error('it is larger than 1 MiB');
    return await readFile(path, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new HcmError(
      'HCM_FILE_UNREADABLE',
      `The file ${path} cannot be read: ${whyUnreadable(code) ?? message}.`,
      {
        details: { path, next: `ls -l ${path}` },
      },
    );
  }
}

/** As `readInputFile`, and warns when other users may read the secret in it. */
export async function readSecretFile(path: string, output: Output): Promise<string> {
  const text = await readInputFile(path);
  // Windows keeps access rights elsewhere; the mode says nothing there.
  if (process.platform !== 'win32' && ((await stat(path)).mode & OTHERS_MAY_READ) !== 0) {
    output.warn(`other users can read the secret in ${path}; run: chmod 600 ${path}`);
  }
  return text;
}

export interface StdinRequest {
  /** What is to come from there. */
  what: string;
  /** The flag that takes it otherwise. */
  instead: string;
  stdin?: NodeJS.ReadStream;
}

/** Reads stdin to its end. @throws HcmError HCM_USAGE on a terminal, where nobody would know what is waited for. */
export async function readStdin({ what, instead, stdin = process.stdin }: StdinRequest): Promise<string> {
  if (stdin.isTTY) {
    throw new HcmError('HCM_USAGE', `The ${what} was to come from stdin, and stdin is a terminal.`, {
      details: { next: `Pipe it in, or give ${instead}` },
    });
  }
  let text = '';
  for await (const chunk of stdin.setEncoding('utf8')) {
    text += String(chunk);
    if (text.length > INPUT_MAX_BYTES) throw new HcmError('HCM_USAGE', `What came from stdin is no ${what}.`);
  }
  return text;
}

function whyUnreadable(code: string | undefined): string | undefined {
  const reasons: Readonly<Record<string, string>> = {
    ENOENT: 'it does not exist',
    EACCES: 'this user may not read it',
    EPERM: 'this user may not read it',
    EISDIR: 'it is a folder',
  };
  return reasons[code ?? ''];
}
