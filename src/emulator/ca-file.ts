/**
 * The user's certificate authority on disk: a folder with certificate and key, made once. The folder appears as a
 * whole (made aside, then renamed), so two processes that start together end up with the same one.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { HcmError } from '../protocol/errors.ts';
import { caFault, createCa } from './ca.ts';
import type { CertifiedKey } from './certified-key.ts';
import { codeOf, writeAtomically } from './state-file.ts';

const CERT_NAME = 'ca.pem';
const KEY_NAME = 'ca-key.pem';
const KEY_MODE = 0o600;
const CERT_MODE = 0o644;
const FOLDER_MODE = 0o700;
/** The folder is in the way, in the words of each platform. */
const TAKEN = new Set(['ENOTEMPTY', 'EEXIST', 'EPERM', 'EACCES']);

export interface StoredCa {
  readonly ca: CertifiedKey;
  /** The certificate's path, for clients that are not ours. */
  readonly caFile: string;
  /** An authority that could not be used any more was put aside: clients that trusted it must be told of the new one. */
  readonly replaced?: { readonly reason: string; readonly keptAs: string };
}

/**
 * Loads the authority from `folder`, or makes it there.
 * @throws HcmError HCM_STATE_UNWRITABLE, HCM_FILE_UNREADABLE (someone else's, by its mode).
 */
export async function loadOrCreateCa(folder: string): Promise<StoredCa> {
  try {
    const existing = await load(folder);
    if (existing === undefined) return stored(folder, await create(folder));
    const reason = caFault(existing);
    if (reason === undefined) return stored(folder, existing);
    const keptAs = await putAside(folder, reason);
    const ca = await create(folder);
    return keptAs === undefined
      ? stored(folder, ca)
      : { ...stored(folder, ca), replaced: { reason, keptAs } };
  } catch (error) {
    if (error instanceof HcmError) throw error;
    const cause = codeOf(error);
    throw new HcmError('HCM_STATE_UNWRITABLE', `Cannot keep the local CA in ${folder}: ${cause}.`, {
      details: { folder, cause },
    });
  }
}

function stored(folder: string, ca: CertifiedKey): StoredCa {
  return { ca, caFile: join(folder, CERT_NAME) };
}

/** Undefined when there is no folder; empty texts stand for missing files. */
async function load(folder: string): Promise<CertifiedKey | undefined> {
  const [certPem, keyPem] = await Promise.all([read(join(folder, CERT_NAME)), read(join(folder, KEY_NAME))]);
  if (certPem === undefined && keyPem === undefined) return undefined;
  return { certPem: certPem ?? '', keyPem: keyPem ?? '' };
}

async function read(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const cause = codeOf(error);
    if (cause === 'ENOENT') return undefined;
    throw new HcmError('HCM_FILE_UNREADABLE', `Cannot read ${path}: ${cause}.`, {
      details: { file: path, cause },
    });
  }
}

/** Makes an authority, or takes the one that somebody else has just made. */
async function create(folder: string): Promise<CertifiedKey> {
  const ca = await createCa();
  const aside = `${folder}.${randomBytes(6).toString('hex')}.tmp`;
  await mkdir(dirname(folder), { recursive: true, mode: FOLDER_MODE });
  await mkdir(aside, { mode: FOLDER_MODE });
  try {
    await writeAtomically(join(aside, KEY_NAME), ca.keyPem, KEY_MODE);
    await writeAtomically(join(aside, CERT_NAME), ca.certPem, CERT_MODE);
    await rename(aside, folder);
    return ca;
  } catch (error) {
    const theirs = TAKEN.has(codeOf(error)) ? await load(folder) : undefined;
    if (theirs === undefined || caFault(theirs) !== undefined) throw error;
    return theirs;
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
}

/** Moves an unusable authority away; undefined when somebody else has done so already. */
async function putAside(folder: string, reason: string): Promise<string | undefined> {
  const keptAs = `${folder}.${reason}-${new Date().toISOString().replaceAll(':', '-')}`;
  try {
    await rename(folder, keptAs);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
  // Between our look and the move, another process may have replaced it: then the good one goes back.
  const moved = await load(keptAs);
  if (moved === undefined || caFault(moved) !== undefined) return keptAs;
  await rename(keptAs, folder).catch(() => undefined);
  return undefined;
}
