/** Says that there is no such command, and which one was probably meant. */
import { HcmError } from '../../protocol/errors.ts';
import { leadingWords } from './argv.ts';
import type { CommandSummary } from './command-list.ts';
import { nearest } from '../did-you-mean.ts';

/** The error for words that name no command; never repeats what follows them. */
export function unknownCommand(argv: readonly string[], commands: readonly CommandSummary[]): HcmError {
  if (argv[0]?.startsWith('-')) return new HcmError('HCM_USAGE', 'Flags follow the command.');
  const words = leadingWords(argv.slice(0, 2).map((word) => word.toLowerCase()));
  if (words.length === 0) return new HcmError('HCM_USAGE', 'No command is named.');
  const names = commands.filter(({ hidden }) => !hidden).map(({ id }) => id.replaceAll(':', ' '));
  const groups = [...new Set(names.flatMap((name) => (name.includes(' ') ? name.split(' ', 1) : [])))];
  const [first = ''] = words;
  if (words.length === 1 && groups.includes(first)) return verbMissing(first, names);
  // A verb that is spelled right counts before a word that only looks like it: `hcm start` is not `hcm restart`.
  const typed = words.join(' ');
  const meant =
    [...names, ...groups].find((name) => name === typed) ??
    names.find((name) => name.endsWith(` ${first}`)) ??
    nearest(typed, names) ??
    nearest(first, names) ??
    names.find((name) => name.startsWith(`${first} `)) ??
    nearest(first, groups);
  const question = meant === undefined ? '' : ` Did you mean "hcm ${meant}"?`;
  return new HcmError(
    'HCM_USAGE',
    `There is no command "hcm ${argv.slice(0, words.length).join(' ')}".${question}`,
    {
      details: { next: meant === undefined ? 'hcm --help' : `hcm ${meant} --help` },
    },
  );
}

function verbMissing(group: string, names: readonly string[]): HcmError {
  const verbs = names.flatMap((name) => (name.startsWith(`${group} `) ? [name.slice(group.length + 1)] : []));
  return new HcmError('HCM_USAGE', `"hcm ${group}" needs one of: ${verbs.join(', ')}.`, {
    details: { next: `hcm ${group} --help` },
  });
}
