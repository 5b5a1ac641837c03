/** Authorization rules, made and deleted. Making one never touches the keys of one that exists. */
import { HcmError } from '../../protocol/errors.ts';
import { checkResourceName } from '../../protocol/resource-names.ts';
import type { Azure } from '../arm/azure.ts';
import { ownerName, type RuleOwner } from '../arm/references.ts';
import { deleteRule as deleteInAzure, listRules, putRule, type Right, type Rule } from '../arm/rules.ts';
import type { Attachment } from './apps.ts';
import { findRuleUsers } from './rule-users.ts';
import { findOwner, type WantedOwner } from './owners.ts';

const ALL_RIGHTS: readonly Right[] = ['Listen', 'Send', 'Manage'];

export interface CreateRuleRequest {
  owner: WantedOwner;
  rule: string;
  /** Manage takes the others with it: Azure knows it only together with them. */
  rights: readonly Right[];
  /** Gives an existing rule these rights; its keys stay. */
  replace: boolean;
}

/** @throws HcmError HCM_NAME_INVALID, HCM_RESOURCE_NOT_FOUND, HCM_RESOURCE_CONFLICT when it exists with other rights. */
export async function createRule(
  azure: Azure,
  request: CreateRuleRequest,
): Promise<{ changed: boolean; created: boolean; owner: RuleOwner; rule: Rule }> {
  checkResourceName('rule', request.rule);
  const { rights: asked } = request;
  const rights = asked.includes('Manage') ? ALL_RIGHTS : ALL_RIGHTS.filter((right) => asked.includes(right));
  const owner = await findOwner(azure, request.owner);
  const existing = (await listRules(azure, owner)).find(({ name }) => sameName(name, request.rule));
  const rule = { name: existing?.name ?? request.rule, rights };
  if (existing !== undefined) {
    if (existing.rights.join() === rights.join())
      return { changed: false, created: false, owner, rule: existing };
    if (!request.replace) throw otherRights(owner, existing, rights);
  }
  await putRule(azure, owner, rule);
  return { changed: true, created: existing === undefined, owner, rule };
}

export interface DeleteRuleRequest {
  owner: WantedOwner;
  rule: string;
  /** Asked before anything happens; rejects to stop it. */
  confirm(owner: RuleOwner, rule: Rule, users: readonly Attachment[]): Promise<void>;
}

/** `changed` is false when it, or what it belongs to, was gone already. */
export async function deleteRule(azure: Azure, request: DeleteRuleRequest): Promise<{ changed: boolean }> {
  const owner = await ifThere(findOwner(azure, request.owner));
  const rule = owner && (await listRules(azure, owner)).find(({ name }) => sameName(name, request.rule));
  if (owner === undefined || rule === undefined) return { changed: false };
  const users = rule.rights.includes('Send') ? await readUsers(azure, owner, rule.name) : [];
  await request.confirm(owner, rule, users);
  return { changed: await deleteInAzure(azure, owner, rule.name) };
}

/** As far as apps may be read: they are only mentioned. */
async function readUsers(azure: Azure, owner: RuleOwner, rule: string): Promise<Attachment[]> {
  try {
    return await findRuleUsers(azure, owner, rule);
  } catch (error) {
    if (error instanceof HcmError && error.code === 'HCM_AZURE_FORBIDDEN') return [];
    throw error;
  }
}

async function ifThere<T>(search: Promise<T>): Promise<T | undefined> {
  try {
    return await search;
  } catch (error) {
    if (error instanceof HcmError && error.code === 'HCM_RESOURCE_NOT_FOUND') return undefined;
    throw error;
  }
}

function otherRights(owner: RuleOwner, existing: Rule, wanted: readonly Right[]): HcmError {
  const label = ownerName(owner);
  return new HcmError(
    'HCM_RESOURCE_CONFLICT',
    `The rule "${existing.name}" of "${label}" exists with [${existing.rights.join(', ')}], not [${wanted.join(', ')}].`,
    { details: { next: `hcm rule create ${label} ${existing.name} --rights ${wanted.join(',')} --replace` } },
  );
}

function sameName(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}
