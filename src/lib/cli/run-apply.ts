/**
 * apply, diff and destroy: read the file and Azure, show the plan, ask where it must be asked, do it. The plan of `diff`
 * is its answer; those of the others are talk.
 */
import type { Azure } from '../arm/azure.ts';
import type { AzureDeclaration } from '../config/hcm-yaml/declaration.ts';
import { describeAction, isDestructive, type Action } from '../services/apply/action.ts';
import { makeChanges, planChanges, planRemoval, type PlanRequest } from '../services/apply/apply.ts';
import type { KeptNamespace } from '../services/apply/destroy-plan.ts';
import { readDeclaredFile, type DeclarationFlags } from './apply-flags.ts';
import { interruptSignal, openAzureFor } from './azure-session.ts';
import { confirm } from './confirm.ts';
import { EXIT } from '../error-table.ts';
import type { Output } from './output.ts';
import { describeForJson, formatKept, formatPlan, summarizePlan } from './plan-presenter.ts';
import { isInteractive } from './terminal.ts';

export interface ApplyRun {
  flags: DeclarationFlags;
  output: Output;
  json: boolean;
  noInput: boolean;
  yes: boolean;
}

interface Opened {
  azure: Azure;
  declared: AzureDeclaration;
  request: PlanRequest;
}

/** Resolves with the exit status: with `exitCode` another one when something differs. */
export async function runDiff(run: Omit<ApplyRun, 'yes' | 'noInput'>, exitCode: boolean): Promise<number> {
  const { azure, declared, request } = await open(run);
  const actions = await planChanges(azure, declared, request);
  const { output } = run;
  if (run.json) output.json(document(actions, 0));
  else if (actions.length === 0) output.answer(nothingToDo(request.file));
  else {
    for (const line of formatPlan(actions)) output.answer(line);
    output.next(`hcm apply --file ${run.flags.file}`, `\n${summarizePlan(actions)}\n`);
  }
  return exitCode && actions.length > 0 ? EXIT.resource : 0;
}

/** Resolves when Azure has what is declared. @throws HcmError as the services; of `confirm`. */
export async function runApply(run: ApplyRun): Promise<void> {
  const { azure, declared, request } = await open(run);
  const actions = await planChanges(azure, declared, request);
  const { output, json } = run;
  if (actions.length === 0) {
    return json
      ? output.json({ ...document(actions, 0), warnings: [] })
      : output.answer(nothingToDo(request.file));
  }
  sayPlan(run, azure, actions);
  // What only adds needs no question where nobody can be asked.
  if (actions.some(isDestructive) || isInteractive(run)) {
    await confirm(`Make ${count(actions.length, 'change')}?`, run);
  }
  const warnings = await change(azure, actions, run);
  if (json) return output.json({ ...document(actions, actions.length), warnings });
  output.answer(`Made ${count(actions.length, 'change')}: Azure has what ${request.file} declares.`);
  for (const next of nextCommands(actions)) output.next(next);
}

/** Resolves when nothing is left of what is declared. @throws HcmError as `runApply`. */
export async function runDestroy(run: ApplyRun): Promise<void> {
  const { azure, declared, request } = await open(run);
  const { actions, kept } = await planRemoval(azure, declared, request);
  const { output, json } = run;
  if (actions.length > 0) {
    sayPlan(run, azure, actions, kept);
    await confirm(`Delete ${count(actions.length, 'thing')}?`, run);
    await change(azure, actions, run);
  }
  if (json) return output.json({ ...document(actions, actions.length), kept });
  const { file } = request;
  if (actions.length > 0) output.answer(`Deleted ${count(actions.length, 'thing')} that ${file} declares.`);
  else
    output.answer(
      `Nothing to delete: Azure has nothing ${kept.length > 0 ? 'more ' : ''}of what ${file} declares.`,
    );
  for (const line of formatKept(kept)) output.answer(line);
}

async function open({ flags: asked, output }: Pick<ApplyRun, 'flags' | 'output'>): Promise<Opened> {
  const { file, declared, flags } = await readDeclaredFile(asked);
  const azure = await openAzureFor({ flags, output, signal: interruptSignal() });
  const request = {
    ...{ file, resourceGroup: flags['resource-group'], timeoutMs: flags.timeout },
    warn: (message: string) => output.warn(message),
  };
  output.progress('comparing with Azure');
  return { azure, declared, request };
}

function sayPlan(
  { output, json }: ApplyRun,
  { cloud, subscriptionId }: Azure,
  actions: readonly Action[],
  kept: readonly KeptNamespace[] = [],
): void {
  if (json) return output.wipeProgress();
  output.say(`In the subscription ${subscriptionId} of the cloud ${cloud.name}:`);
  for (const line of formatPlan(actions, output.paint)) output.say(line);
  for (const line of formatKept(kept)) output.say(line);
  output.say(summarizePlan(actions));
}

/** Resolves with what was warned of. */
async function change(
  azure: Azure,
  actions: readonly Action[],
  { output, flags }: ApplyRun,
): Promise<string[]> {
  const warnings: string[] = [];
  await makeChanges(azure, actions, {
    timeoutMs: flags.timeout,
    warn(message) {
      warnings.push(message);
      output.warn(message);
    },
    onAction: (action, number) => output.progress(`[${number}/${actions.length}] ${describeAction(action)}`),
  });
  output.wipeProgress();
  return warnings;
}

/** What docs/hcm-yaml.md promises. */
function document(actions: readonly Action[], applied: number) {
  return { actions: actions.map(describeForJson), changed: actions.length, applied };
}

function nothingToDo(file: string): string {
  return `Nothing to do: Azure has what ${file} declares.`;
}

/** How to use what is new. */
function nextCommands(actions: readonly Action[]): string[] {
  const [first] = actions.flatMap((action) =>
    action.type === 'connection' && action.change === 'create' && action.target ? [action.connection] : [],
  );
  return first === undefined ? [] : [`hcm listen ${first.name}/${first.connection}`];
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
