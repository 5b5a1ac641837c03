/** Which apps send with the keys of a rule: what a new key, or the end of the rule, would cut off. */
import type { Azure } from '../arm/azure.ts';
import { isConnection, type ConnectionRef, type RuleOwner } from '../arm/references.ts';
import { listRules } from '../arm/rules.ts';
import { listAppConnections, type Attachment } from './apps.ts';
import { findAllAttachments, orForbidden } from './attachments.ts';

/** The apps of this subscription that send with the rule. */
export async function findRuleUsers(azure: Azure, owner: RuleOwner, rule: string): Promise<Attachment[]> {
  if (!isConnection(owner)) return usersOfNamespaceRule(azure, owner, rule);
  return (await findAllAttachments(azure, owner)).filter(({ relay }) => sameName(relay.keyName, rule));
}

/** A connection with a rule of the same name means its own, not the namespace's. */
async function usersOfNamespaceRule(azure: Azure, owner: RuleOwner, rule: string): Promise<Attachment[]> {
  const candidates = (await orForbidden(listAppConnections(azure))).flatMap(({ app, connections }) =>
    connections
      .filter((relay) => sameName(relay.namespace, owner.name) && sameName(relay.keyName, rule))
      .map((relay) => ({ app, relay })),
  );
  const names = [...new Set(candidates.map(({ relay }) => relay.connection.toLowerCase()))];
  const own = await Promise.all(names.map((connection) => hasRule(azure, { ...owner, connection }, rule)));
  return candidates.filter(({ relay }) => !own[names.indexOf(relay.connection.toLowerCase())]);
}

async function hasRule(azure: Azure, owner: ConnectionRef, rule: string): Promise<boolean> {
  return (await listRules(azure, owner)).some(({ name }) => sameName(name, rule));
}

function sameName(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}
