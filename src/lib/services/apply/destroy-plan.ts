/**
 * What must go so that nothing is left of what a file declares: pure, as apply-plan.ts. Only what the file names goes,
 * and what would be dead without it; a namespace goes when nothing else is in it.
 */
import { formatTarget } from '../../../protocol/target.ts';
import type { ConnectionRef } from '../../arm/references.ts';
import type { AzureDeclaration, NamespaceDeclaration } from '../../config/hcm-yaml/declaration.ts';
import type { Action } from './action.ts';
import { sameApp, sameName, type Existing, type ExistingNamespace } from './existing.ts';

/** Every namespace has it; it goes with the namespace only. */
export const ROOT_RULE = 'RootManageSharedAccessKey';

/** A namespace that stays, and what it is kept for. */
export interface KeptNamespace {
  readonly name: string;
  readonly because: readonly string[];
}

export interface DestroyPlan {
  readonly actions: Action[];
  readonly kept: KeptNamespace[];
}

/** The last declared thing goes first: apps, connections, rules, namespaces. */
export function planDestroy(azure: AzureDeclaration, existing: Existing): DestroyPlan {
  const actions: Action[] = [];
  const kept: KeptNamespace[] = [];
  for (const declared of azure.namespaces) {
    const place = existing.namespaces.get(declared.name.toLowerCase());
    const found = place?.existing;
    if (place) actions.push(...detachments(declared, place.ref, existing));
    if (found === undefined) continue;
    actions.push(...deletions(declared, found));
    const because = foreignThings(declared, found);
    if (because.length > 0) kept.push({ name: found.ref.name, because });
    else
      actions.push({
        change: 'delete',
        type: 'namespace',
        namespace: found.ref,
        reason: 'nothing else is in it',
      });
  }
  return { actions, kept };
}

/** Also of a connection that is gone: what an interrupted run or somebody else has left at an app. */
function detachments(
  declared: NamespaceDeclaration,
  ref: ExistingNamespace['ref'],
  { apps, attachments }: Existing,
): Action[] {
  return declared.connections.flatMap((connection) => {
    const own = connection.apps.flatMap((app) => apps.get(app) ?? []);
    return attachments
      .filter((one) => sameName(one.namespace, declared.name) && sameName(one.connection, connection.name))
      .map((one): Action => {
        const isOwn = own.some((app) => sameApp(app, one.app));
        const reason = `to ${formatTarget(one.target)}${isOwn ? '' : '; the file does not name this app'}`;
        const to: ConnectionRef = { ...ref, connection: one.connection };
        return { change: 'delete', type: 'attachment', app: one.app, connection: to, reason };
      });
  });
}

function deletions(declared: NamespaceDeclaration, found: ExistingNamespace): Action[] {
  const connections = found.connections
    .filter(({ name }) => declared.connections.some((one) => sameName(one.name, name)))
    .map(({ name, target }): Action => ({
      ...{ change: 'delete', type: 'connection', connection: { ...found.ref, connection: name } },
      reason: target === undefined ? 'without a target' : `to ${formatTarget(target)}`,
    }));
  const rules = found.rules
    .filter(
      ({ name }) => declared.rules.some((one) => sameName(one.name, name)) && !sameName(name, ROOT_RULE),
    )
    .map(({ name, rights }): Action => ({
      ...{ change: 'delete', type: 'rule', owner: found.ref, rule: { name } },
      reason: `[${rights.join(', ')}]`,
    }));
  return [...connections, ...rules];
}

function foreignThings(declared: NamespaceDeclaration, found: ExistingNamespace): string[] {
  const isDeclared = (list: readonly { name: string }[], name: string) =>
    list.some((one) => sameName(one.name, name));
  return [
    ...found.connections
      .filter(({ name }) => !isDeclared(declared.connections, name))
      .map(({ name }) => `connection ${name}`),
    ...found.rules
      .filter(({ name }) => !isDeclared(declared.rules, name) && !sameName(name, ROOT_RULE))
      .map(({ name }) => `rule ${name}`),
    ...found.others,
  ];
}
