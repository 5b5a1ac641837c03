/** Says that there is no such command, and which one was probably meant. */
import { HcmError } from '../../protocol/errors.ts';
import { leadingWords } from './argv.ts';
import type { CommandSummary } from './command-list.ts';
import { nearest } from '../did-you-mean.ts';

/** The error for words that name no command; never repeats what follows them. */
export function unknownCommand(argv: readonly string[], commands: readonly CommandSummary[]): HcmError {
  const words = leadingWords(argv).slice(0, 2);
  if (words.length === 0) {
    const flagFirst = argv[0]?.startsWith('-') ?? false;
    return new HcmError('HCM_USAGE', flagFirst ? 'Flags follow the command.' : 'No command is named.');
  }
  const names = commands.filter(({ hidden }) => !hidden).map(({ id }) => id.replaceAll(':', ' '));
  const typed = words.join(' ');
  const [first = ''] = words;
  // A verb that is spelled right counts before a word that only looks like it: `hcm start` is not `hcm restart`.
  const meant =
    names.find((name) => name.endsWith(` ${first}`)) ??
    nearest(typed, names) ??
    nearest(first, names) ??
    names.find((name) => name.startsWith(`${first} `));
  const question = meant === undefined ? '' : ` Did you mean "hcm ${meant}"?`;
  return new HcmError('HCM_USAGE', `There is no command "hcm ${typed}".${question}`, {
    details: { next: meant === undefined ? 'hcm --help' : `hcm ${meant} --help` },
  });
}
