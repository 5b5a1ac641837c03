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
  const meant = nearest(typed, names) ?? nearest(words[0] ?? '', names) ?? meantVerb(words, names);
  const question = meant === undefined ? '' : ` Did you mean "hcm ${meant}"?`;
  return new HcmError('HCM_USAGE', `There is no command "hcm ${typed}".${question}`, {
    details: { next: meant === undefined ? 'hcm --help' : `hcm ${meant} --help` },
  });
}

/** `hcm start` for `hcm emulator start`, `hcm emulator run` for the commands of that noun. */
function meantVerb(words: readonly string[], names: readonly string[]): string | undefined {
  const [first = ''] = words;
  return names.find((name) => name.split(' ').includes(first));
}
