/** The part of a plan that is about authorization rules: made, or given the rights that are declared. Never re-made. */
import type { RuleOwner } from '../../arm/references.ts';
import type { Right, RuleDeclaration } from '../../config/hcm-yaml/declaration.ts';
import type { Action } from './action.ts';
import { sameName } from './existing.ts';

/** The rules that every connection gets: Microsoft's manager and App Service look for them by these names. */
const DEFAULT_RULES: readonly RuleDeclaration[] = [
  { name: 'defaultListener', rights: ['Listen'] },
  { name: 'defaultSender', rights: ['Send'] },
];

/** Declared rules get exactly their rights. */
export function planRules(
  owner: RuleOwner,
  declared: readonly RuleDeclaration[],
  existing: readonly RuleDeclaration[],
): Action[] {
  return changes(owner, declared, existing, sameRights);
}

/** As `planRules`, with the two rules of every connection unless the file says what they are to be. */
export function planConnectionRules(
  owner: RuleOwner,
  declared: readonly RuleDeclaration[],
  existing: readonly RuleDeclaration[],
): Action[] {
  const defaults = DEFAULT_RULES.filter((rule) => !declared.some((own) => sameName(own.name, rule.name)));
  return [...changes(owner, defaults, existing, hasRights), ...planRules(owner, declared, existing)];
}

type RightsFit = (existing: readonly Right[], wanted: readonly Right[]) => boolean;

function changes(
  owner: RuleOwner,
  declared: readonly RuleDeclaration[],
  existing: readonly RuleDeclaration[],
  fit: RightsFit,
): Action[] {
  return declared.flatMap((rule): Action[] => {
    const found = existing.find(({ name }) => sameName(name, rule.name));
    const action = { type: 'rule', owner } as const;
    if (found === undefined)
      return [{ ...action, change: 'create', rule, reason: `[${rule.rights.join(', ')}]` }];
    if (fit(found.rights, rule.rights)) return [];
    const rights = fit === hasRights ? [...found.rights, ...rule.rights] : rule.rights;
    const reason = `[${found.rights.join(', ')}] -> [${rights.join(', ')}]`;
    return [{ ...action, change: 'update', rule: { name: found.name, rights }, reason }];
  });
}

function sameRights(existing: readonly Right[], wanted: readonly Right[]): boolean {
  return existing.length === wanted.length && hasRights(existing, wanted);
}

/** For the rules that nobody declared: more rights than they need are not taken away. */
function hasRights(existing: readonly Right[], wanted: readonly Right[]): boolean {
  return wanted.every((right) => existing.includes(right));
}
