/** NAMESPACE or NAMESPACE/NAME, as whatever has rules: the namespace itself, or one of its hybrid connections. */
import { HcmError } from '../../protocol/errors.ts';
import type { Azure } from '../arm/azure.ts';
import { findNamespace } from '../arm/namespaces.ts';
import { ownerName, type RuleOwner } from '../arm/references.ts';
import { listRules, type Rule } from '../arm/rules.ts';
import { findConnection } from './connection-access.ts';

export interface WantedOwner {
  readonly namespace: string;
  /** Undefined: the namespace itself. */
  readonly name?: string | undefined;
  readonly resourceGroup?: string | undefined;
}

/** @throws HcmError HCM_RESOURCE_NOT_FOUND, HCM_RESOURCE_AMBIGUOUS. */
export async function findOwner(azure: Azure, wanted: WantedOwner): Promise<RuleOwner> {
  const { namespace, name, resourceGroup } = wanted;
  if (name === undefined) {
    const found = await findNamespace(azure, namespace, resourceGroup);
    return { subscriptionId: found.subscriptionId, resourceGroup: found.resourceGroup, name: found.name };
  }
  const { connection } = await findConnection(azure, { namespace, name, resourceGroup });
  return {
    subscriptionId: connection.subscriptionId,
    resourceGroup: connection.resourceGroup,
    name: connection.name,
    connection: connection.connection,
  };
}

/**
 * The rule of this name, or the only one there is.
 * @throws HcmError HCM_RESOURCE_NOT_FOUND; HCM_INPUT_NEEDED when there are several and none was named.
 */
export async function findRule(azure: Azure, owner: RuleOwner, name: string | undefined): Promise<Rule> {
  const rules = await listRules(azure, owner);
  const [first] = rules;
  const found =
    name === undefined
      ? rules.length === 1
        ? first
        : undefined
      : rules.find((rule) => rule.name.toLowerCase() === name.toLowerCase());
  if (found !== undefined) return found;
  const label = ownerName(owner);
  const has = rules.map((rule) => `${rule.name} [${rule.rights.join(', ')}]`).join(', ');
  if (name === undefined && first !== undefined) {
    throw new HcmError('HCM_INPUT_NEEDED', `"${label}" has several rules: ${has}.`, {
      details: { next: `Say which one: --rule ${first.name}` },
    });
  }
  throw new HcmError(
    'HCM_RESOURCE_NOT_FOUND',
    `"${label}" has no rule${name === undefined ? '' : ` "${name}"`}${has === '' ? '' : `. It has ${has}`}.`,
    { details: { next: `hcm rule list ${label}` } },
  );
}
