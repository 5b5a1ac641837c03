/** What a plain `hcm` prints: where to start, and every command with its summary. */
import { styleText } from 'node:util';
import type { CommandSummary } from './command-list.ts';

const START_HERE: readonly (readonly [string, string])[] = [
  ['hcm dev', 'the whole path on this machine, without Azure'],
  ['hcm listen NAME --target HOST:PORT', 'on the private side: let Azure reach HOST:PORT'],
  ['hcm forward NAME --bind 127.0.0.1:1433', 'on your machine: reach it through Azure'],
];

export function rootHelp(commands: readonly CommandSummary[], stream: { isTTY?: boolean }): string {
  const colored = stream.isTTY === true && !process.env['NO_COLOR'];
  const bold = (text: string) => (colored ? styleText('bold', text) : text);
  const shown = commands.filter(({ hidden }) => !hidden);
  return [
    'Azure Relay Hybrid Connections from the command line: tunnels, listeners and a local relay',
    `${bold('USAGE')}\n  $ hcm COMMAND [flags]`,
    `${bold('START HERE')}\n${table(START_HERE)}`,
    `${bold('COMMANDS')}\n${table(shown.map(({ id, summary }) => [id.replaceAll(':', ' '), summary]))}`,
    `${bold('FLAGS')}\n${table([
      ['COMMAND --help', 'what a command does, with its flags and examples'],
      ['COMMAND --json', 'JSON for programs instead of text for people'],
      ['--version', 'the version of hcm, of Node and of the system'],
    ])}`,
  ]
    .join('\n\n')
    .concat('\n');
}

function table(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`).join('\n');
}
