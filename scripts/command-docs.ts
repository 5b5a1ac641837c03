/**
 * One page for each command, from what oclif knows of it: the text of its help, its flags and its arguments. Reads
 * the sources, so no build is needed and nothing old can be read.
 */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { loadSourceConfig } from '../src/lib/cli/oclif.ts';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));
export const docsFolder = join(root, 'docs', 'commands');

export interface FlagDescription {
  name: string;
  type: 'boolean' | 'option';
  char?: string | undefined;
  description?: string | undefined;
  helpGroup?: string | undefined;
  helpValue?: string | string[] | undefined;
  default?: string | number | boolean | undefined;
  env?: string | undefined;
  options?: readonly string[] | undefined;
  multiple?: boolean | undefined;
  exclusive?: unknown;
}

export interface CommandDescription {
  /** As typed: `emulator start`. */
  name: string;
  summary: string;
  description: string;
  usage: string;
  examples: string[];
  args: { name: string; multiple: boolean; description: string }[];
  flags: FlagDescription[];
}

/** Every command that help shows, by name. */
export async function describeCommands(): Promise<CommandDescription[]> {
  const { commands } = await loadSourceConfig(root);
  return commands
    .filter(({ hidden }) => !hidden)
    .map((command) => {
      const name = command.id.replaceAll(':', ' ');
      const fill = (text: string) =>
        text.replace(/<%= config\.bin %>/g, 'hcm').replace(/<%= command\.id %>/g, name);
      const args = Object.values(command.args).map((arg) => {
        const multiple = 'multiple' in arg && arg.multiple === true;
        const shown = (multiple ? arg.name.replace(/s$/, '') : arg.name).toUpperCase();
        return { name: shown, multiple, description: arg.description ?? '' };
      });
      const written = args.map((arg) => `[${arg.name}${arg.multiple ? '...' : ''}]`).join(' ');
      return {
        name,
        summary: command.summary ?? '',
        description: command.description ?? '',
        usage:
          `hcm ${fill(typeof command.usage === 'string' ? command.usage : `${name} ${written} [flags]`)}`.replace(
            /\s+/g,
            ' ',
          ),
        examples: (command.examples ?? []).flatMap((one) => (typeof one === 'string' ? [fill(one)] : [])),
        args,
        flags: Object.values(command.flags),
      };
    })
    .sort((a, b) => a.name.localeCompare(b.name));
}

/** The file of a command's page in docs/commands. */
export function pageName(command: string): string {
  return `${command.replaceAll(' ', '-')}.md`;
}

/** All pages by file name, formatted, the list of commands among them. */
export async function renderPages(): Promise<Map<string, string>> {
  const commands = await describeCommands();
  const texts = new Map(commands.map((command) => [pageName(command.name), renderPage(command)]));
  texts.set('README.md', renderIndex(commands));
  const style = await resolveConfig(join(docsFolder, 'README.md'));
  const pages = [...texts].map(
    async ([file, text]) => [file, await format(text, { ...style, parser: 'markdown' })] as const,
  );
  return new Map(await Promise.all(pages));
}

const GENERATED = '<!-- Written by `npm run docs` from the command itself: change it there. -->';

function renderIndex(commands: readonly CommandDescription[]): string {
  const rows = commands.map(({ name, summary }) => [`[\`hcm ${name}\`](${pageName(name)})`, plain(summary)]);
  return [GENERATED, '# Commands', table(['command', 'does'], rows)].join('\n\n');
}

function renderPage(command: CommandDescription): string {
  const { name, summary, description, usage, examples, args, flags } = command;
  const shell = (lines: readonly string[]) => ['```sh', ...lines, '```'].join('\n');
  const groups = [...new Set(flags.map(({ helpGroup = '' }) => helpGroup))].sort(byGroup);
  return [
    GENERATED,
    `# hcm ${name}`,
    plain(summary),
    shell([usage]),
    plain(description),
    ...(args.length === 0
      ? []
      : [
          '## Arguments',
          table(
            ['argument', 'is'],
            args.map((arg) => [`\`${arg.name}\``, plain(arg.description)]),
          ),
        ]),
    ...groups.flatMap((group) => {
      const own = flags.filter(({ helpGroup = '' }) => helpGroup === group);
      return [`## ${headingOf(group)}`, table(['flag', 'does'], own.map(flagRow))];
    }),
    ...(examples.length === 0 ? [] : ['## Examples', shell(examples)]),
    'Exit statuses are in the [README](../../README.md#exit-status), errors in [errors.md](../errors.md).',
  ].join('\n\n');
}

function flagRow(flag: FlagDescription): [string, string] {
  const { name, char, helpValue, options, description = '', default: preset, env, multiple } = flag;
  const value = options?.join('\\|') ?? (helpValue === undefined ? 'N' : String(helpValue));
  const written = flag.type === 'boolean' ? `--${name}` : `--${name} ${value}`;
  const notes = [
    plain(description),
    ...(preset === undefined ? [] : [`Default: \`${String(preset)}\`.`]),
    ...(env === undefined ? [] : [`Environment: \`${env}\`.`]),
    ...(multiple === true && !description.includes('repeated') ? ['May be repeated.'] : []),
  ];
  return [`${char === undefined ? '' : `\`-${char}\`, `}\`${written}\``, notes.join(' ')];
}

/** The command's own flags first, those of all commands last. */
function byGroup(a: string, b: string): number {
  const rank = (group: string) => (group === '' ? 0 : group === 'GLOBAL' ? 2 : 1);
  return rank(a) - rank(b) || a.localeCompare(b);
}

function headingOf(group: string): string {
  if (group === '') return 'Flags';
  return group === 'GLOBAL' ? 'Flags of every command' : `${group[0]}${group.slice(1).toLowerCase()} flags`;
}

/** Text for a terminal, so that Markdown shows it as it is. */
function plain(text: string): string {
  return text.replace(/[*<|]/g, '\\$&');
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
