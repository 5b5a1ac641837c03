/** Errors of oclif's parser in our words: which command, which flag was probably meant, and no dump of argv. */
import { HcmError } from '../../protocol/errors.ts';
import { nearest } from '../did-you-mean.ts';

interface Asked {
  id?: string | undefined;
  /** Flags that the command has. */
  flagNames: readonly string[];
}

/** Any other error comes back as it is. */
export function usageError(error: unknown, { id, flagNames }: Asked): unknown {
  if (!(error instanceof Error) || !('oclif' in error)) return error;
  const command = `hcm ${id?.replaceAll(':', ' ') ?? ''}`.trim();
  const next = `${command} --help`;
  const unknown = (error as { flags?: unknown }).flags;
  if (Array.isArray(unknown) && typeof unknown[0] === 'string') {
    return new HcmError('HCM_USAGE', unknownFlag(unknown[0], command, flagNames), { details: { next } });
  }
  const { args } = error as { args?: unknown };
  if (Array.isArray(args) && /^Missing \d+ required arg/.test(error.message)) {
    const names = (args as { name: string }[]).map(({ name }) => name.toUpperCase());
    return new HcmError('HCM_USAGE', `${command} needs ${names.join(' and ')}.`, { details: { next } });
  }
  const message = error.message
    .replace(/\n?See more help with --help/g, '')
    .replace(/^The following errors? occurred:\s*/, '')
    // Our flags that take several values take one each time they stand there.
    .replace(/\s*Note: --[^]*$/, '')
    .replace(/\s*\n\s*/g, ' ')
    .replace(/^Missing required flag (\S+)$/, `${command} needs --$1.`)
    // What follows `=` may be a secret.
    .replace(/^(--[\w-]+)=.* cannot also be provided when using (--[\w-]+)$/, '$1 and $2 exclude each other.')
    .replace(/^All of the following must be provided when using (--[\w-]+): (.+)$/, '$1 needs $2.');
  return new HcmError('HCM_USAGE', message, { details: { next } });
}

function unknownFlag(flag: string, command: string, flagNames: readonly string[]): string {
  // What follows `=` may be a secret.
  const name = flag.replace(/=.*$/s, '');
  const meant = nearest(name.replace(/^-+/, ''), flagNames);
  return `${command} has no flag ${name}.${meant === undefined ? '' : ` Did you mean --${meant}?`}`;
}
