/**
 * Another target for a hybrid connection that apps use. Microsoft documents nine steps, of which the app is detached
 * for some; here the metadata is written and each attached app is written over, in place. A step that fails takes the
 * ones before it back.
 */
import { HcmError } from '../../protocol/errors.ts';
import { formatTarget, type Target } from '../../protocol/target.ts';
import { withTarget } from '../../protocol/user-metadata.ts';
import { appName } from '../arm/apps.ts';
import type { Azure } from '../arm/azure.ts';
import { putConnection, type HybridConnection } from '../arm/connections.ts';
import { ownerName } from '../arm/references.ts';
import { putSiteRelay, type SiteRelay } from '../arm/site-relays.ts';
import type { Attachment } from './apps.ts';
import { findAllAttachments } from './attachments.ts';
import { findConnection, type WantedConnection } from './connection-access.ts';
import { readMetadata, sameTarget, viewConnection, type ConnectionView } from './connection-view.ts';
import { SendKeys } from './send-keys.ts';

export interface UpdateConnectionRequest {
  connection: WantedConnection;
  target: Target;
  /** Neither looks for apps nor changes them. */
  skipApps?: boolean;
  /** The metadata is something else than a list of entries, and would be lost. Rejects to stop it. */
  confirmReplacement(text: string): Promise<void>;
}

export interface UpdateConnectionResult {
  changed: boolean;
  connection: ConnectionView;
  /** Those that were written over. */
  apps: readonly Attachment[];
}

/**
 * @throws HcmError as `findConnection`, and what a step gave: then all is as it was before, or the message says what
 * is not.
 */
export async function updateConnection(
  azure: Azure,
  request: UpdateConnectionRequest,
): Promise<UpdateConnectionResult> {
  const { namespace, connection } = await findConnection(azure, request.connection);
  const attachments = request.skipApps ? [] : await findAllAttachments(azure, connection);
  const wanted = formatTarget(request.target);
  const stale = attachments.filter(({ relay }) => !sameTarget(formatTarget(relay.target), wanted));
  const { target } = readMetadata(connection.userMetadata);
  if (sameTarget(target, wanted) && stale.length === 0) {
    return { changed: false, connection: viewConnection(namespace, connection), apps: [] };
  }
  const userMetadata = await metadataFor(connection.userMetadata, request);
  const updated = await inOneStep(azure, {
    connection,
    changes: await changesOf(azure, { connection, userMetadata, stale, target: request.target }),
  });
  return { changed: true, connection: viewConnection(namespace, updated), apps: stale };
}

/** Other people's entries are kept, in whatever way the endpoint among them is wrong; a text that is no list cannot be. */
async function metadataFor(existing: string | undefined, request: UpdateConnectionRequest): Promise<string> {
  try {
    return withTarget(existing, request.target);
  } catch (error) {
    if (!(error instanceof HcmError && error.code === 'HCM_TARGET_MISSING')) throw error;
    await request.confirmReplacement(existing ?? '');
    return withTarget(undefined, request.target);
  }
}

/** One write and what takes it back. */
interface Change {
  readonly what: string;
  do(): Promise<void>;
  undo(): Promise<void>;
}

interface Plan {
  connection: HybridConnection;
  userMetadata: string;
  stale: readonly Attachment[];
  target: Target;
}

/** All keys are read before the first write: whatever may not be read stops it in time. */
async function changesOf(azure: Azure, plan: Plan): Promise<Change[]> {
  const { connection, userMetadata, stale, target } = plan;
  const keys = new SendKeys(azure, connection);
  const write = async (text: string | undefined) =>
    void (await putConnection(azure, connection, { ...connection, userMetadata: text }));
  const changes: Change[] = [
    {
      what: `the target of "${ownerName(connection)}"`,
      do: () => write(userMetadata),
      undo: () => write(connection.userMetadata),
    },
  ];
  for (const attachment of stale) {
    const { app, relay } = attachment;
    const key = await keys.goodKeyFor(attachment);
    const put = (changed: SiteRelay) =>
      putSiteRelay(azure.in(app.subscriptionId), app, { ...changed, ...key });
    changes.push({
      what: `the app "${appName(app)}"`,
      do: () => put({ ...relay, target }),
      undo: () => put(relay),
    });
  }
  return changes;
}

/** Resolves with the connection as it is now. */
async function inOneStep(
  azure: Azure,
  { connection, changes }: { connection: HybridConnection; changes: readonly Change[] },
): Promise<HybridConnection> {
  const done: Change[] = [];
  for (const change of changes) {
    try {
      azure.signal?.throwIfAborted();
      azure.report(`updating ${change.what}`);
      await change.do();
      done.push(change);
    } catch (error) {
      throw azure.signal?.aborted ? stopped(error, done) : await takenBack(error, { azure, change, done });
    }
  }
  const { connection: updated } = await findConnection(azure, {
    ...connection,
    namespace: connection.name,
    name: connection.connection,
  });
  return updated;
}

/** Ctrl-C: no further call is made, so what is done stays, and the same command does the rest. */
function stopped(error: unknown, done: readonly Change[]): unknown {
  if (done.length === 0) return error;
  return new HcmError(
    'HCM_INTERRUPTED',
    `Interrupted. Updated before that: ${listed(done)}. The same command does the rest.`,
    { cause: error, details: error instanceof HcmError ? error.details : {} },
  );
}

/** The failed step's own error, with what became of the others. */
async function takenBack(
  error: unknown,
  { azure, change, done }: { azure: Azure; change: Change; done: readonly Change[] },
): Promise<unknown> {
  const left: Change[] = [];
  // The failed one may have been written all the same: an answer that was lost, say.
  for (const one of [change, ...[...done].reverse()]) {
    azure.report(`taking back ${one.what}`);
    await one.undo().catch(() => left.push(one));
  }
  if (!(error instanceof HcmError)) return error;
  const outcome =
    left.length === 0
      ? 'All is as it was before.'
      : `Could not be taken back: ${listed(left)}. The same command tries again.`;
  return new HcmError(error.code, `${error.message} ${outcome}`, {
    ...{ retryable: error.retryable, details: error.details, cause: error },
  });
}

function listed(changes: readonly Change[]): string {
  return changes.map(({ what }) => what).join(', ');
}
