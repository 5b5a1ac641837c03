/** Flags of the commands about a declared Azure, and the file that they name. */
import { string } from '@oclif/core/flags';
import { HcmError } from '../../protocol/errors.ts';
import type { AzureDeclaration } from '../config/hcm-yaml/declaration.ts';
import { parseAzureSection } from '../config/hcm-yaml/load.ts';
import { azureFlags, type AzureFlags } from './azure-flags.ts';
import { formatDuration } from './durations.ts';
import { readInputFile, readStdin } from './input-file.ts';
import { duration } from './network-flags.ts';

const DEFAULT_FILE = 'hcm.yaml';
/** Seen to take a minute; a throttled or busy Azure takes more. */
const DEFAULT_TIMEOUT_MS = 600_000;

export const declarationFlags = {
  file: string({
    char: 'f',
    description: 'The file, or "-" for stdin.',
    helpValue: 'FILE',
    default: DEFAULT_FILE,
  }),
  timeout: duration({
    description: 'Limit for each namespace that is made or deleted.',
    default: DEFAULT_TIMEOUT_MS,
    defaultHelp: () => Promise.resolve(formatDuration(DEFAULT_TIMEOUT_MS)),
  }),
  ...azureFlags,
};

export interface DeclarationFlags extends AzureFlags {
  file: string;
  timeout: number;
  'resource-group'?: string | undefined;
}

export interface DeclaredFile {
  /** As messages name it. */
  file: string;
  declared: AzureDeclaration;
  /** The flags, with the subscription of the file. */
  flags: DeclarationFlags;
}

/**
 * Reads the file that the flags name.
 * @throws HcmError HCM_FILE_UNREADABLE; as `parseAzureSection`; HCM_USAGE when --subscription and the file disagree.
 */
export async function readDeclaredFile(
  flags: DeclarationFlags,
  env: NodeJS.ProcessEnv = process.env,
): Promise<DeclaredFile> {
  const isStdin = flags.file === '-';
  const file = isStdin ? 'stdin' : flags.file;
  const text = isStdin
    ? await readStdin({ what: DEFAULT_FILE, instead: '--file FILE' })
    : await readInputFile(file);
  const declared = await parseAzureSection(text, { file, env });
  const { subscription = flags.subscription } = declared;
  if (flags.subscription !== undefined && subscription?.toLowerCase() !== flags.subscription.toLowerCase()) {
    // Whichever won, somebody would change what they did not mean.
    throw new HcmError(
      'HCM_USAGE',
      `--subscription says "${flags.subscription}", and ${file} says "${subscription}".`,
      { details: { next: 'Leave out --subscription, or make the two the same' } },
    );
  }
  return { file, declared, flags: { ...flags, subscription } };
}
