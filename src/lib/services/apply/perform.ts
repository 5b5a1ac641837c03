/**
 * One action of a plan, done in Azure. Each may be done twice: what is there already is success, what is gone already,
 * too. Keys go from Azure to Azure and are seen by nobody.
 */
import { HcmError } from '../../../protocol/errors.ts';
import { withTarget } from '../../../protocol/user-metadata.ts';
import type { Target } from '../../../protocol/target.ts';
import type { AppRef } from '../../arm/apps.ts';
import type { Azure } from '../../arm/azure.ts';
import { deleteConnection, getConnection, listConnections, putConnection } from '../../arm/connections.ts';
import { putNamespaceTags } from '../../arm/namespaces.ts';
import type { NamespaceRef } from '../../arm/references.ts';
import { deleteRule, putRule } from '../../arm/rules.ts';
import { deleteSiteRelay } from '../../arm/site-relays.ts';
import { orGone } from '../../arm/web-call.ts';
import { attachConnection } from '../attach.ts';
import { createNamespace, deleteNamespace } from '../namespaces.ts';
import type { Action, AttachmentAction, ConnectionAction, NamespaceAction, RuleAction } from './action.ts';

export interface PerformOptions {
  /** For each namespace that is made or deleted. */
  timeoutMs: number;
  /** What will not work, or not as one may think. */
  warn: (message: string) => void;
}

/** @throws HcmError of the calls; HCM_RESOURCE_CONFLICT when a namespace that is to go has got something in it. */
export async function performAction(azure: Azure, action: Action, options: PerformOptions): Promise<void> {
  switch (action.type) {
    case 'namespace':
      return performNamespace(azure, action, options);
    case 'connection':
      return performConnection(azure, action);
    case 'rule':
      return performRule(azure, action);
    case 'attachment':
      return performAttachment(azure, action, options);
  }
}

async function performNamespace(
  azure: Azure,
  action: NamespaceAction,
  { timeoutMs }: PerformOptions,
): Promise<void> {
  const { namespace } = action;
  const { resourceGroup, name } = namespace;
  if (action.change === 'create') {
    const { location, tags } = action;
    await createNamespace(azure, { name, resourceGroup, location, tags, wait: true, timeoutMs });
  } else if (action.change === 'update') await putNamespaceTags(azure, namespace, action.tags);
  else {
    const confirm = () => checkEmpty(azure, namespace);
    await deleteNamespace(azure, { name, resourceGroup, wait: true, timeoutMs, confirm });
  }
}

/** Somebody may have made a connection since the plan was made. */
async function checkEmpty(azure: Azure, namespace: NamespaceRef): Promise<void> {
  const left = await listConnections(azure, namespace);
  if (left.length === 0) return;
  const names = left.map(({ connection }) => connection).join(', ');
  throw new HcmError(
    'HCM_RESOURCE_CONFLICT',
    `The namespace "${namespace.name}" is not empty any more: somebody made ${names}.`,
  );
}

async function performConnection(azure: Azure, action: ConnectionAction): Promise<void> {
  const { connection } = action;
  if (action.change === 'delete') return void (await deleteConnection(azure, connection));
  const { target } = action;
  if (action.change === 'create') {
    const { requiresClientAuthorization } = action;
    const userMetadata = target === undefined ? undefined : withTarget(undefined, target);
    return void (await putConnection(azure, connection, { userMetadata, requiresClientAuthorization }));
  }
  const found = await getConnection(azure, connection);
  await putConnection(azure, connection, {
    userMetadata: metadataFor(found?.userMetadata, action.target),
    requiresClientAuthorization: found?.requiresClientAuthorization ?? true,
  });
}

/** Other people's entries are kept; a text that is no list cannot be. */
function metadataFor(existing: string | undefined, target: Target): string {
  try {
    return withTarget(existing, target);
  } catch (error) {
    if (error instanceof HcmError && error.code === 'HCM_TARGET_MISSING')
      return withTarget(undefined, target);
    throw error;
  }
}

async function performRule(azure: Azure, action: RuleAction): Promise<void> {
  const { owner } = action;
  if (action.change === 'delete') await deleteRule(azure, owner, action.rule.name);
  else await putRule(azure, owner, action.rule);
}

async function performAttachment(
  azure: Azure,
  action: AttachmentAction,
  { warn }: PerformOptions,
): Promise<void> {
  const { app, connection } = action;
  if (action.change === 'delete') {
    const relay = { namespace: connection.name, connection: connection.connection };
    return void (await orGone(deleteSiteRelay(azure.in(app.subscriptionId), app, relay)));
  }
  const { subscriptionId, resourceGroup } = connection;
  const { warnings } = await attachConnection(azure, {
    ...{ app: appId(app), slot: app.slot },
    connection: { subscriptionId, resourceGroup, namespace: connection.name, name: connection.connection },
    // The record of the app, or its key, is known to be wrong.
    force: true,
    target: action.target,
  });
  warnings.forEach(warn);
}

/** The resource id of the app itself, whatever the slot. */
function appId({ subscriptionId, resourceGroup, name }: AppRef): string {
  return `/subscriptions/${subscriptionId}/resourceGroups/${resourceGroup}/providers/Microsoft.Web/sites/${name}`;
}
