/**
 * Authorization rules of a namespace or of one hybrid connection, and their two keys. Keys leave Azure only through
 * `listKeys` and `regenerateKey`; whoever calls those keeps them off every output.
 */
import type { AccessRights, AuthorizationRule as WireRule } from '@azure/arm-relay';
import type { Azure } from './azure.ts';
import { isConnection, ownerName, type RuleOwner } from './references.ts';
import { callRelay } from './relay-call.ts';
import { collect, orGone } from './web-call.ts';

export type Right = 'Listen' | 'Send' | 'Manage';
export type KeyName = 'primary' | 'secondary';

export interface Rule {
  readonly name: string;
  readonly rights: readonly Right[];
}

/** Secrets. */
export interface RuleKeys {
  readonly rule: string;
  readonly primaryKey: string;
  readonly secondaryKey: string;
  readonly primaryConnectionString: string;
  readonly secondaryConnectionString: string;
}

const RIGHTS: readonly Right[] = ['Listen', 'Send', 'Manage'];

export async function listRules(azure: Azure, owner: RuleOwner): Promise<Rule[]> {
  const { resourceGroup, name } = owner;
  const items = await callRelay(azure, aboutRules(owner), (relay) =>
    collect(
      isConnection(owner)
        ? relay.hybridConnections.listAuthorizationRules(resourceGroup, name, owner.connection)
        : relay.namespaces.listAuthorizationRules(resourceGroup, name),
    ),
  );
  return items.map(toRule);
}

/** Makes it, or gives it other rights; its keys stay. */
export async function putRule(azure: Azure, owner: RuleOwner, { name: rule, rights }: Rule): Promise<void> {
  const { resourceGroup, name } = owner;
  const body: WireRule = { rights: [...rights] };
  await callRelay(azure, aboutRule(owner, rule), ({ hybridConnections, namespaces }) =>
    isConnection(owner)
      ? hybridConnections.createOrUpdateAuthorizationRule(
          ...([resourceGroup, name, owner.connection, rule, body] as const),
        )
      : namespaces.createOrUpdateAuthorizationRule(resourceGroup, name, rule, body),
  );
}

/** False when it was gone already. */
export async function deleteRule(azure: Azure, owner: RuleOwner, rule: string): Promise<boolean> {
  const { resourceGroup, name } = owner;
  const done = await orGone(
    callRelay(azure, aboutRule(owner, rule), async ({ hybridConnections, namespaces }) => {
      let status = 200;
      const options = { onResponse: (response: { status: number }) => void (status = response.status) };
      await (isConnection(owner)
        ? hybridConnections.deleteAuthorizationRule(
            ...([resourceGroup, name, owner.connection, rule, options] as const),
          )
        : namespaces.deleteAuthorizationRule(resourceGroup, name, rule, options));
      return status !== 204;
    }),
  );
  return done ?? false;
}

/** Rejects with HCM_RESOURCE_NOT_FOUND when there is no such rule. */
export async function listKeys(azure: Azure, owner: RuleOwner, rule: string): Promise<RuleKeys> {
  const { resourceGroup, name } = owner;
  const keys = await callRelay(azure, aboutRule(owner, rule), ({ hybridConnections, namespaces }) =>
    isConnection(owner)
      ? hybridConnections.listKeys(resourceGroup, name, owner.connection, rule)
      : namespaces.listKeys(resourceGroup, name, rule),
  );
  return toKeys(rule, keys);
}

/** Makes one of the two keys anew; resolves with both. What signed with the old one is refused from now on. */
export async function regenerateKey(
  azure: Azure,
  { owner, rule, key }: { owner: RuleOwner; rule: string; key: KeyName },
): Promise<RuleKeys> {
  const { resourceGroup, name } = owner;
  const body = { keyType: key === 'primary' ? 'PrimaryKey' : 'SecondaryKey' } as const;
  const keys = await callRelay(azure, aboutRule(owner, rule), ({ hybridConnections, namespaces }) =>
    isConnection(owner)
      ? hybridConnections.regenerateKeys(...([resourceGroup, name, owner.connection, rule, body] as const))
      : namespaces.regenerateKeys(resourceGroup, name, rule, body),
  );
  return toKeys(rule, keys);
}

function aboutRules(owner: RuleOwner): { subscriptionId: string; about: string } {
  return { subscriptionId: owner.subscriptionId, about: `the rules of "${ownerName(owner)}"` };
}

function aboutRule(owner: RuleOwner, rule: string): { subscriptionId: string; about: string } {
  return { subscriptionId: owner.subscriptionId, about: `the rule "${rule}" of "${ownerName(owner)}"` };
}

/** In one order, whatever order Azure has. */
function toRule({ name = '', rights }: WireRule): Rule {
  return { name, rights: RIGHTS.filter((right: AccessRights) => rights?.includes(right)) };
}

interface WireKeys {
  readonly keyName?: string;
  readonly primaryKey?: string;
  readonly secondaryKey?: string;
  readonly primaryConnectionString?: string;
  readonly secondaryConnectionString?: string;
}

function toKeys(rule: string, keys: WireKeys): RuleKeys {
  return {
    rule: keys.keyName ?? rule,
    primaryKey: keys.primaryKey ?? '',
    secondaryKey: keys.secondaryKey ?? '',
    primaryConnectionString: keys.primaryConnectionString ?? '',
    secondaryConnectionString: keys.secondaryConnectionString ?? '',
  };
}
