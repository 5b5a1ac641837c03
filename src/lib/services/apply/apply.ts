/** From declarations to changed Azure: reading and planning, and doing what was planned. */
import type { Azure } from '../../arm/azure.ts';
import type { AzureDeclaration } from '../../config/hcm-yaml/declaration.ts';
import type { Action } from './action.ts';
import { concernsStrangers, planApply } from './apply-plan.ts';
import { planDestroy, type DestroyPlan } from './destroy-plan.ts';
import { executePlan } from './execute.ts';
import type { Existing } from './existing.ts';
import { performAction, type PerformOptions } from './perform.ts';
import { withStrangers } from './read-attachments.ts';
import { readExisting, type ReadRequest } from './read-existing.ts';

export interface PlanRequest extends Omit<ReadRequest, 'toMake'> {
  /** What the plan could not take into account. */
  warn: (message: string) => void;
}

/** What must change in Azure; changes nothing. @throws HcmError as `readExisting` and `planApply`. */
export async function planChanges(
  azure: Azure,
  declared: AzureDeclaration,
  request: PlanRequest,
): Promise<Action[]> {
  const existing = await readExisting(azure, declared, { ...request, toMake: true });
  const plan = (known: Existing) => ({ actions: planApply(declared, known) });
  return (await planWithStrangers(azure, { existing, plan, ...request })).actions;
}

/** What must go; changes nothing. */
export async function planRemoval(
  azure: Azure,
  declared: AzureDeclaration,
  request: PlanRequest,
): Promise<DestroyPlan> {
  const existing = await readExisting(azure, declared, { ...request, toMake: false });
  const plan = (known: Existing) => planDestroy(declared, known);
  return planWithStrangers(azure, { existing, plan, ...request });
}

/** Asking every app of a subscription takes long: only for plans that take something from them. */
async function planWithStrangers<T extends { readonly actions: Action[] }>(
  azure: Azure,
  {
    existing,
    plan,
    warn,
  }: Pick<PlanRequest, 'warn'> & { existing: Existing; plan: (existing: Existing) => T },
): Promise<T> {
  const first = plan(existing);
  if (!concernsStrangers(first.actions)) return first;
  const known = await withStrangers(azure, existing, first.actions);
  if (known !== undefined) return plan(known);
  warn('This account may not read all apps: those that the file does not name are left as they are.');
  return first;
}

export interface ChangeOptions extends PerformOptions {
  /** Before each action, with its number from 1. */
  onAction?(action: Action, number: number): void;
}

/** Resolves when all is done. @throws HcmError as `executePlan`. */
export function makeChanges(azure: Azure, actions: readonly Action[], options: ChangeOptions): Promise<void> {
  return executePlan(actions, {
    perform: (action) => performAction(azure, action, options),
    onAction: (action, number) => options.onAction?.(action, number),
    signal: azure.signal,
  });
}
