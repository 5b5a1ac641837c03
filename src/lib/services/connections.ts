/** Hybrid connections: made, listed, shown, deleted. What changes one that apps use is in connection-update.ts. */
import { HcmError } from '../../protocol/errors.ts';
import { checkResourceName } from '../../protocol/resource-names.ts';
import { formatTarget, type Target } from '../../protocol/target.ts';
import { withTarget } from '../../protocol/user-metadata.ts';
import { appName } from '../arm/apps.ts';
import type { Azure } from '../arm/azure.ts';
import {
  deleteConnection as deleteInAzure,
  getConnection,
  listConnections as listInAzure,
  putConnection,
  type HybridConnection,
} from '../arm/connections.ts';
import { findNamespace, isActive, isRemoving, listNamespaces, type Namespace } from '../arm/namespaces.ts';
import { ownerName, type ConnectionRef } from '../arm/references.ts';
import { listRules, type Rule } from '../arm/rules.ts';
import { deleteSiteRelay } from '../arm/site-relays.ts';
import type { Attachment } from './apps.ts';
import { findAllAttachments } from './attachments.ts';
import { findConnection, type WantedConnection } from './connection-access.ts';
import { sameTarget, viewConnection, type ConnectionView } from './connection-view.ts';
import { ensureDefaultRule } from './default-rules.ts';
import { waitUntilActive } from './namespaces.ts';
import { mapAtMost } from './parallel.ts';
import { SendKeys, type SendKeyState } from './send-keys.ts';
import { Steps } from './steps.ts';

const NAMESPACES_AT_ONCE = 4;

export interface CreateConnectionRequest {
  connection: WantedConnection;
  target?: Target | undefined;
  /** Undefined: true for a new one, and whatever one has that exists. */
  requiresClientAuthorization?: boolean | undefined;
  /** How long to wait for a namespace that is being made. */
  timeoutMs: number;
}

/**
 * Makes the connection and its two rules, as far as they are missing.
 * @throws HcmError HCM_NAME_INVALID, HCM_RESOURCE_NOT_FOUND (the namespace), HCM_RESOURCE_CONFLICT when it exists with
 * another target or other rules for senders.
 */
export async function createConnection(
  azure: Azure,
  request: CreateConnectionRequest,
): Promise<{ changed: boolean; connection: ConnectionView }> {
  const { namespace: namespaceName, name, resourceGroup } = request.connection;
  checkResourceName('connection', name);
  const found = await findNamespace(azure, namespaceName, resourceGroup);
  const namespace = isActive(found) ? found : await waitUntilActive(azure, found, request);
  const ref = refOf(namespace, name);
  const existing = await getConnection(azure, ref);
  if (existing !== undefined) checkSame(viewConnection(namespace, existing), request);
  const steps = new Steps(azure);
  const label = `the hybrid connection "${ownerName(ref)}"`;
  const connection =
    existing ??
    (await steps.run({ doing: `creating ${label}`, done: `created ${label}` }, () =>
      putConnection(azure, ref, settingsOf(request)),
    ));
  for (const right of ['Listen', 'Send'] as const) {
    await steps.guard(() => ensureDefaultRule(azure, ref, { right, steps }));
  }
  return { changed: steps.count > 0, connection: viewConnection(namespace, connection) };
}

/** Those of one namespace, or of all in the subscription or the resource group. */
export async function listConnections(
  azure: Azure,
  { namespace, resourceGroup }: { namespace?: string | undefined; resourceGroup?: string | undefined },
): Promise<ConnectionView[]> {
  const namespaces =
    namespace === undefined
      ? (await listNamespaces(azure, resourceGroup)).filter((one) => !isRemoving(one))
      : [await findNamespace(azure, namespace, resourceGroup)];
  const lists = await mapAtMost(NAMESPACES_AT_ONCE, namespaces, async (one) =>
    (await listInAzure(azure, one)).map((connection) => viewConnection(one, connection)),
  );
  return lists.flat();
}

export interface AttachedApp {
  readonly attachment: Attachment;
  readonly sendKey: SendKeyState;
  /** The app connects with the target that the connection has. */
  readonly targetMatches: boolean;
}

export interface ConnectionReport {
  readonly connection: ConnectionView;
  readonly rules: readonly Rule[];
  /** Of this subscription; undefined when the account may not read apps. */
  readonly apps: readonly AttachedApp[] | undefined;
}

/** All about one. @throws HcmError as `findConnection`. */
export async function showConnection(azure: Azure, wanted: WantedConnection): Promise<ConnectionReport> {
  const found = await findConnection(azure, wanted);
  const connection = viewConnection(found.namespace, found.connection);
  const [rules, attachments] = await Promise.all([
    listRules(azure, found.connection),
    readAttachments(azure, found.connection),
  ]);
  const keys = new SendKeys(azure, found.connection);
  const apps =
    attachments &&
    (await mapAtMost(NAMESPACES_AT_ONCE, attachments, async (attachment) => ({
      attachment,
      sendKey: await keys.stateOf(attachment),
      targetMatches: sameTarget(formatTarget(attachment.relay.target), connection.target),
    })));
  return { connection, rules, apps };
}

/** Undefined when the account may not read apps. */
async function readAttachments(azure: Azure, connection: ConnectionRef): Promise<Attachment[] | undefined> {
  try {
    return await findAllAttachments(azure, connection);
  } catch (error) {
    if (error instanceof HcmError && error.code === 'HCM_AZURE_FORBIDDEN') return undefined;
    throw error;
  }
}

export interface DeleteConnectionRequest {
  connection: WantedConnection;
  /** Asked before anything happens; rejects to stop it. */
  confirm(connection: ConnectionView, apps: readonly Attachment[]): Promise<void>;
}

/**
 * Detaches the apps of this subscription, which would otherwise keep a dead entry, and deletes it. `changed` is false
 * when it was gone already.
 */
export async function deleteConnection(
  azure: Azure,
  request: DeleteConnectionRequest,
): Promise<{ changed: boolean; detached: readonly Attachment[] }> {
  const found = await findIfThere(azure, request.connection);
  if (found === undefined) return { changed: false, detached: [] };
  const attachments = (await readAttachments(azure, found.connection)) ?? [];
  await request.confirm(viewConnection(found.namespace, found.connection), attachments);
  const steps = new Steps(azure);
  for (const { app, relay } of attachments) {
    const name = `"${appName(app)}"`;
    await steps.run({ doing: `detaching ${name}`, done: `detached ${name}` }, () =>
      deleteSiteRelay(azure.in(app.subscriptionId), app, relay),
    );
  }
  const label = `the hybrid connection "${ownerName(found.connection)}"`;
  const changed = await steps.run({ doing: `deleting ${label}`, done: `deleted ${label}` }, () =>
    deleteInAzure(azure, found.connection),
  );
  return { changed, detached: attachments };
}

async function findIfThere(
  azure: Azure,
  wanted: WantedConnection,
): Promise<{ namespace: Namespace; connection: HybridConnection } | undefined> {
  try {
    return await findConnection(azure, wanted);
  } catch (error) {
    if (error instanceof HcmError && error.code === 'HCM_RESOURCE_NOT_FOUND') return undefined;
    throw error;
  }
}

function settingsOf({ target, requiresClientAuthorization = true }: CreateConnectionRequest) {
  const userMetadata = target === undefined ? undefined : withTarget(undefined, target);
  return { userMetadata, requiresClientAuthorization };
}

/** @throws HcmError HCM_RESOURCE_CONFLICT: `create` changes nothing that is there. */
function checkSame(existing: ConnectionView, request: CreateConnectionRequest): void {
  const name = `${existing.namespace}/${existing.name}`;
  const { target, requiresClientAuthorization: wanted } = request;
  if (wanted !== undefined && wanted !== existing.requiresClientAuthorization) {
    const does = (required: boolean) => (required ? 'asks senders for a key' : 'takes senders without a key');
    throw conflict(
      `"${name}" exists, and it ${does(existing.requiresClientAuthorization)}. Only a new one can be otherwise.`,
      `hcm connection delete ${name}`,
    );
  }
  if (target === undefined || sameTarget(existing.target, formatTarget(target))) return;
  const has =
    existing.metadataFault !== undefined
      ? 'with metadata that cannot be read'
      : existing.target === undefined
        ? 'without a target'
        : `with the target ${existing.target}`;
  throw conflict(
    `The hybrid connection "${name}" exists ${has}, not ${formatTarget(target)}.`,
    `hcm connection update ${name} --target ${formatTarget(target)}`,
  );
}

function conflict(message: string, next: string): HcmError {
  return new HcmError('HCM_RESOURCE_CONFLICT', message, { details: { next } });
}

function refOf({ subscriptionId, resourceGroup, name }: Namespace, connection: string): ConnectionRef {
  return { subscriptionId, resourceGroup, name, connection };
}
