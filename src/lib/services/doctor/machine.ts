/** Proof: this machine has what hcm needs: a Node that is new enough, and a folder of its own that only it can read. */
import { constants } from 'node:fs';
import { access, readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { HcmError } from '../../../protocol/errors.ts';
import type { Case } from './proof.ts';
import { failed, ok, warning, type Finding } from './report.ts';

/** As package.json says. */
const LEAST_NODE = [20, 19] as const;
const OTHERS = 0o077;
/** The certificate of the local authority is there for other programs to read. */
const PUBLIC_FILES: ReadonlySet<string> = new Set(['ca.pem']);
/** State, authority, tokens: two levels, a dozen files. */
const MAX_FILES = 1_000;

export async function proveMachine({ scene }: Pick<Case, 'scene'>): Promise<Finding> {
  const { nodeVersion, hcmVersion, platform, stateDirectory } = scene.machine;
  const facts = { nodeVersion, hcmVersion, platform, stateDirectory };
  const seen = `hcm ${hcmVersion}, Node ${nodeVersion} on ${platform}`;
  if (!isNewEnough(nodeVersion)) {
    const text = `Node ${nodeVersion} is older than ${LEAST_NODE.join('.')}`;
    return warning(
      new HcmError('HCM_USAGE', text, { details: { next: 'Install a newer Node' } }),
      undefined,
      facts,
    );
  }
  const { folder, exists } = await nearest(stateDirectory);
  const fault = await accessFault(folder);
  if (fault !== undefined) {
    const text = exists
      ? `The state folder ${stateDirectory} cannot be used: ${fault}`
      : `The state folder ${stateDirectory} cannot be made in ${folder}: ${fault}`;
    return failed(
      new HcmError('HCM_STATE_UNWRITABLE', text, { details: { folder, seen: fault } }),
      undefined,
      facts,
    );
  }
  if (!exists) return ok(`${seen}; state in ${stateDirectory} (nothing yet)`, facts);
  const open = platform.startsWith('win32') ? [] : await filesOpenToOthers(stateDirectory);
  if (open.length === 0) return ok(`${seen}; state in ${stateDirectory}`, facts);
  const text = `Other users can read ${open.slice(0, 3).join(', ')}${open.length > 3 ? ` and ${open.length - 3} more` : ''}`;
  const next = `chmod -R go-rwx ${stateDirectory}`;
  const error = new HcmError('HCM_STATE_UNWRITABLE', text, { details: { folder, next } });
  return warning(error, 'Tokens and keys of this user may be among them.', { ...facts, openToOthers: open });
}

function isNewEnough(version: string): boolean {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number);
  return major > LEAST_NODE[0] || (major === LEAST_NODE[0] && minor >= LEAST_NODE[1]);
}

/** The folder, or the first above it that exists. */
async function nearest(path: string): Promise<{ folder: string; exists: boolean }> {
  for (let folder = path; ; folder = dirname(folder)) {
    const isThere = await stat(folder).then(
      () => true,
      ({ code }: NodeJS.ErrnoException) => code !== 'ENOENT',
    );
    if (isThere || dirname(folder) === folder) return { folder, exists: folder === path };
  }
}

async function accessFault(folder: string): Promise<string | undefined> {
  try {
    if (!(await stat(folder)).isDirectory()) return 'it is no folder';
    await access(folder, constants.R_OK | constants.W_OK | constants.X_OK);
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'unknown';
  }
}

async function filesOpenToOthers(directory: string): Promise<string[]> {
  // A folder that only its owner can enter covers what is in it.
  if (((await stat(directory)).mode & OTHERS) === 0) return [];
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const open: string[] = [];
  for (const entry of entries.slice(0, MAX_FILES)) {
    if (!entry.isFile() || PUBLIC_FILES.has(entry.name)) continue;
    const path = join(entry.parentPath, entry.name);
    const mode = await stat(path).then(
      (found) => found.mode,
      () => 0,
    );
    if ((mode & OTHERS) !== 0) open.push(path);
  }
  return open;
}
