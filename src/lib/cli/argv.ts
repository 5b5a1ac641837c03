/**
 * The command line before oclif sees it. oclif re-sorts what stands behind `--` and drops the `--` itself, so the two
 * sides are taken apart here.
 */

export interface CommandLine {
  /** What is for hcm. */
  readonly own: readonly string[];
  /** COMMAND and its arguments behind the first `--`, to the letter; undefined when there is no `--`. */
  readonly command: readonly string[] | undefined;
}

export function splitCommandLine(argv: readonly string[]): CommandLine {
  const dashes = argv.indexOf('--');
  if (dashes < 0) return { own: argv, command: undefined };
  return { own: argv.slice(0, dashes), command: argv.slice(dashes + 1) };
}

/** The words in front that name a command, such as `emulator start`; flags and values end them. */
export function leadingWords(argv: readonly string[]): string[] {
  const end = argv.findIndex((word) => !/^[a-z][a-z0-9-]*$/.test(word));
  return argv.slice(0, end < 0 ? argv.length : end);
}

/** The longest run of leading words that is a known id (`emulator:start`), and how many words it took. */
export function findId(
  argv: readonly string[],
  isKnown: (id: string) => boolean,
): { id: string; words: number } | undefined {
  const words = leadingWords(argv);
  for (let count = words.length; count > 0; count--) {
    const id = words.slice(0, count).join(':');
    if (isKnown(id)) return { id, words: count };
  }
  return undefined;
}

/** Commands that Microsoft's `hcm` has, too. */
const MICROSOFTS_COMMANDS = new Set(['add', 'remove', 'show', 'restart', 'test']);
/** Its short flags that oclif cannot have, or that mean nothing elsewhere here: `-ns X` would be `-n s X`. */
const MICROSOFTS_FLAGS = new Map([
  ['-ns', '--namespace'],
  ['-rg', '--resource-group'],
  ['-s', '--subscription'],
]);

/** What stands behind the command, with the short flags of Microsoft's `hcm` written out. Other commands keep theirs. */
export function writeOutFlags(id: string, argv: readonly string[]): string[] {
  if (!MICROSOFTS_COMMANDS.has(id)) return [...argv];
  return argv.map((word) => {
    const [flag = '', ...value] = word.split('=');
    const long = MICROSOFTS_FLAGS.get(flag);
    return long === undefined ? word : [long, ...value].join('=');
  });
}

export function wantsHelp(argv: readonly string[]): boolean {
  return argv.includes('--help') || argv.includes('-h');
}
