/** What the wizard says at its beginning, before it acts, and at its end; and its JSON. */
import { formatTarget } from '../../../protocol/target.ts';
import { appName } from '../../arm/apps.ts';
import type { SetupPlan, SetupStep } from '../../services/setup/setup-plan.ts';
import type { SetupResult } from '../../services/setup/perform-setup.ts';
import { commandLine } from '../../services/setup/command-line.ts';
import { appJson } from '../app-presenter.ts';
import type { Output } from '../output.ts';

const LABEL_CHARS = 'connection'.length;
/** What stands before its text. */
const WARNING_CHARS = 'Warning: '.length;

export function sayWelcome(output: Output): void {
  const { bold, cyan, dim } = output.paint;
  output.say(
    [
      `${bold('hcm setup')} lets an app in Azure reach a host and port in a private network.`,
      '',
      `  app ──▶ namespace in Azure ◀── ${cyan('hcm listen')} ──▶ target`,
      '',
      dim('Nothing is changed before you say yes. Ctrl-C leaves at any question.'),
      '',
    ].join('\n'),
  );
}

export function sayPlan(output: Output, plan: SetupPlan): void {
  const { answers, steps, commands, listenCommand, warnings, again } = plan;
  const { bold, cyan, dim } = output.paint;
  output.say(`\n${bold('What will be done')}\n`);
  for (const step of steps) output.say(stepLine(output, step));
  output.say(`\n${bold('The same as commands')}\n`);
  for (const command of commands) output.say(`  ${cyan(command)}`);
  if (!answers.listen) output.say(`  ${cyan(listenCommand)}   ${dim('on the other machine')}`);
  output.say(`\n${dim('or all at once, with no question:')}\n\n  ${dim(again)}\n`);
  for (const warning of warnings) output.warn(wrap(warning));
}

function stepLine({ paint }: Output, { kind, text, kept }: SetupStep): string {
  const label = kind.padEnd(LABEL_CHARS);
  if (kept) return paint.dim(`  = ${label}  ${text}`);
  return `  ${paint.green(kind === 'listener' ? '▶' : '+')} ${label}  ${text}`;
}

/** All is there. The answer is what runs the listener, where it does not run here. */
export function printResult(
  output: Output,
  { answers, connection, listenCommand, ...plan }: SetupPlan,
): void {
  const { bold, cyan, dim } = output.paint;
  const { app, listen } = answers;
  const target = formatTarget(answers.target);
  output.answer(
    app === undefined
      ? `${connection} leads to ${target}.`
      : `${appName(app)} reaches ${target} through ${connection}${listen ? '.' : ', once a listener runs.'}`,
  );
  if (app !== undefined) output.say(dim(`In its code, connect to ${target} as if it were next door.`));
  if (listen) return output.say(`\n${bold('Listening here.')} Ctrl-C stops.`);
  output.say(`\n${bold(`On the machine that reaches ${target}`)}, with hcm installed and signed in:\n`);
  output.answer(`  ${cyan(listenCommand)}`);
  output.say(`\nWithout signing in there, take a connection string along. It is a secret:\n`);
  output.say(`  ${cyan(keyCommand(plan, connection))}   ${dim('here')}`);
  output.say(`  ${cyan('hcm listen --connection-string-file listen.txt')}   ${dim('there')}`);
  if (app === undefined) output.say(`\nTo attach an app later: ${cyan(`hcm app attach APP ${connection}`)}`);
}

function keyCommand({ context }: Pick<SetupPlan, 'context'>, connection: string): string {
  const words = ['hcm', 'key', 'show', connection, '--rule', 'defaultListener', '--connection-string'];
  return `${commandLine([words, context])} > listen.txt`;
}

/** What docs/setup.md promises. */
export function setupJson(
  plan: SetupPlan,
  { changed, namespace, connection, attached }: SetupResult,
): object {
  const { name, resourceGroup, location, subscriptionId, host } = namespace.namespace;
  return {
    changed,
    namespace: { name, resourceGroup, location, subscriptionId, host, created: namespace.created },
    connection,
    ...(attached === undefined ? {} : { app: { ...appJson(attached.app), attached: attached.changed } }),
    warnings: plan.warnings,
    listen: plan.listenCommand,
  };
}

/** At words, where a terminal would cut through them. */
function wrap(text: string, columns: number | undefined = process.stderr.columns): string {
  if (columns === undefined) return text;
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1) ?? '';
    if (line !== '' && line.length + word.length + WARNING_CHARS >= columns) lines.push(word);
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
  }
  return lines.join(`\n${' '.repeat(WARNING_CHARS)}`);
}
