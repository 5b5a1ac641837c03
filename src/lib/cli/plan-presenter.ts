/** Plans of apply, diff and destroy: lines for people, and the JSON that docs/hcm-yaml.md promises. */
import type { ChalkInstance } from 'chalk';
import type { AppRef } from '../arm/apps.ts';
import { isConnection } from '../arm/references.ts';
import { subjectOf, type Action } from '../services/apply/action.ts';
import type { KeptNamespace } from '../services/apply/destroy-plan.ts';

const SIGNS = { create: '+', update: '~', delete: '-' } as const;
const COLORS = { create: 'green', update: 'yellow', delete: 'red' } as const;

/** A line for each action. `paint` only where there is a terminal. */
export function formatPlan(actions: readonly Action[], paint?: ChalkInstance): string[] {
  const width = (texts: readonly string[]) => Math.max(0, ...texts.map(({ length }) => length));
  const types = width(actions.map(({ type }) => type));
  const subjects = width(actions.map(subjectOf));
  return actions.map((action) => {
    const { change, type, reason } = action;
    const line =
      `${SIGNS[change]} ${type.padEnd(types)}  ${subjectOf(action).padEnd(subjects)}  ${reason}`.trimEnd();
    return paint === undefined ? line : paint[COLORS[change]](line);
  });
}

/** What a destroy leaves, and why. */
export function formatKept(kept: readonly KeptNamespace[]): string[] {
  return kept.map(({ name, because }) => `The namespace ${name} stays: it has ${because.join(', ')}.`);
}

/** `2 to create, 1 to update.` */
export function summarizePlan(actions: readonly Action[]): string {
  const counts = (['create', 'update', 'delete'] as const)
    .map((change) => [change, actions.filter((action) => action.change === change).length] as const)
    .filter(([, count]) => count > 0)
    .map(([change, count]) => `${count} to ${change}`);
  return `${counts.join(', ')}.`;
}

/** One action for programs: names apart, so that nobody has to cut texts. */
export function describeForJson(action: Action): object {
  const { change, type, reason } = action;
  const owner =
    action.type === 'namespace'
      ? action.namespace
      : action.type === 'rule'
        ? action.owner
        : action.connection;
  return {
    ...{ action: change, type, subscriptionId: owner.subscriptionId, resourceGroup: owner.resourceGroup },
    namespace: owner.name,
    ...(isConnection(owner) ? { connection: owner.connection } : {}),
    ...(action.type === 'rule' ? { rule: action.rule.name } : {}),
    ...(action.type === 'attachment' ? { app: appJson(action.app) } : {}),
    reason,
  };
}

/** Only what names it: what was found may say more. */
function appJson({ subscriptionId, resourceGroup, name, slot }: AppRef): object {
  return { subscriptionId, resourceGroup, name, ...(slot === undefined ? {} : { slot }) };
}
