/**
 * What support needs, in one zip: the report, versions, the environment and the configuration, with every secret taken
 * out. Which files there are is decided here; reading them is up to the caller.
 */
import { open, rm } from 'node:fs/promises';
import { HcmError } from '../../../protocol/errors.ts';
import { redact } from '../../../protocol/redact.ts';
import { scrub } from './secrets.ts';

type Environment = Readonly<Record<string, string | undefined>>;

export interface BundleContents {
  /** As `--json` prints it. */
  readonly report: object;
  /** As a person reads it. */
  readonly text: string;
  readonly system: Readonly<Record<string, unknown>>;
  readonly env: Environment;
  /** Files of configuration, by the name that they have in the bundle. */
  readonly config: Readonly<Record<string, string>>;
  /** What the manager says of itself, by the name that it has in the bundle; its log. */
  readonly manager?: Readonly<Record<string, string>>;
  /** Names, modes and sizes of what is in the state folder. */
  readonly stateFiles: readonly string[];
}

const FILE_MODE = 0o600;
/** Nothing else of the environment is anybody's business. */
const RELEVANT =
  /^(?:HCM|AZURE|ARM|MSI|IDENTITY|NODE|SSL_CERT|XDG_STATE|GITHUB_ACTIONS|TF_BUILD|CI$|LANG$|(?:HTTPS?|ALL|NO)_PROXY$)/i;
/** Values that are never a secret. */
const PLAIN =
  /^(?:NO_PROXY|HCM_(?:CLOUD|STATE_DIR|CA_FILE|NO_INPUT|AUTH|RESOURCE_GROUP)|NODE_EXTRA_CA_CERTS|NODE_TLS_REJECT_UNAUTHORIZED|SSL_CERT_(?:FILE|DIR)|XDG_STATE_HOME|CI|LANG)$/i;

/** The files of a bundle, none of which holds one of the secrets. */
export function bundleFiles(contents: BundleContents, secrets: readonly string[]): Record<string, string> {
  const { report, text, system, env, config, stateFiles, manager = {} } = contents;
  const files = {
    'report.json': json(report),
    'report.txt': `${text}\n`,
    'system.json': json(system),
    'environment.txt': lines(environmentLines(env)),
    'state-files.txt': lines(stateFiles),
    ...Object.fromEntries(Object.entries(config).map(([name, value]) => [`config/${name}`, value])),
    ...Object.fromEntries(Object.entries(manager).map(([name, value]) => [`manager/${name}`, value])),
  };
  return Object.fromEntries(
    Object.entries(files).map(([name, value]) => [name, scrub(redact(value), secrets)]),
  );
}

/** @throws HcmError HCM_USAGE (the file exists, or cannot be made), HCM_OUTPUT_FAILED; nothing is left then. */
export async function writeBundle(path: string, files: Readonly<Record<string, string>>): Promise<void> {
  const { strToU8, zipSync } = await import('fflate');
  const entries = Object.entries(files).map(([name, text]) => [name, strToU8(text)] as const);
  const zip = zipSync(Object.fromEntries(entries));
  // Never over another file: it may be the bundle that somebody waits for.
  const file = await open(path, 'wx', FILE_MODE).catch((error: Error) => {
    throw bundleError(path, error);
  });
  try {
    await file.writeFile(zip);
    await file.close();
  } catch (error) {
    await file.close().catch(() => undefined);
    await rm(path, { force: true });
    throw bundleError(path, error as Error);
  }
}

/** What keeps a bundle from being written to `path`. */
export function bundleError(path: string, { code, message }: NodeJS.ErrnoException): HcmError {
  const details = { path, next: 'Name another file: hcm doctor --bundle FILE.zip' };
  if (code === 'EEXIST') {
    return new HcmError('HCM_USAGE', `The file ${path} exists; a bundle overwrites nothing.`, { details });
  }
  const isFull = code === 'ENOSPC' || code === 'EDQUOT' || code === 'EIO';
  const text = `The bundle ${path} cannot be written: ${message}.`;
  return isFull ? new HcmError('HCM_OUTPUT_FAILED', text) : new HcmError('HCM_USAGE', text, { details });
}

function environmentLines(env: Environment): string[] {
  return Object.entries(env)
    .filter(([name, value]) => RELEVANT.test(name) && value !== undefined)
    .map(([name, value = '']) => shown(name, value))
    .sort();
}

function shown(name: string, value: string): string {
  if (value === '' || PLAIN.test(name)) return `${name}=${value}`;
  return /_PROXY$/i.test(name) ? `${name}=${proxyShown(value)}` : `${name} is set`;
}

/** Host and port; a user and a password are only said to be there. */
function proxyShown(value: string): string {
  const url = /:\/\//.test(value) ? value : `http://${value}`;
  if (!URL.canParse(url)) return '(no URL)';
  const { protocol, host, username } = new URL(url);
  return `${protocol}//${username === '' ? '' : '***@'}${host}`;
}

function json(value: object): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}

function lines(items: readonly string[]): string {
  return items.map((item) => `${item}\n`).join('');
}
