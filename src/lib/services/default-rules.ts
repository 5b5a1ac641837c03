/**
 * The two rules that the portal makes for a hybrid connection: a listener and an app each have a key of their own, with
 * the one right that they need.
 */
import type { Azure } from '../arm/azure.ts';
import { ownerName, type ConnectionRef } from '../arm/references.ts';
import { listRules, putRule } from '../arm/rules.ts';
import type { Steps } from './steps.ts';

export const DEFAULT_RULES = { Listen: 'defaultListener', Send: 'defaultSender' } as const;

/**
 * Sees to it that the rule for this right is there and has it; resolves with its name. One that is there keeps its keys
 * and its other rights. What is done is one of the `steps`.
 */
export async function ensureDefaultRule(
  azure: Azure,
  connection: ConnectionRef,
  { right, steps }: { right: keyof typeof DEFAULT_RULES; steps: Steps },
): Promise<string> {
  const wanted = DEFAULT_RULES[right];
  const rule = (await listRules(azure, connection)).find(
    ({ name }) => name.toLowerCase() === wanted.toLowerCase(),
  );
  if (rule?.rights.includes(right)) return rule.name;
  const name = rule?.name ?? wanted;
  const what = `the rule "${name}" [${right}] of "${ownerName(connection)}"`;
  await steps.run({ doing: `making ${what}`, done: `made ${what}` }, () =>
    putRule(azure, connection, { name, rights: [...(rule?.rights ?? []), right] }),
  );
  return name;
}
