/** A hybrid connection as commands show it: with its namespace's host, and its target read from the metadata. */
import { HcmError } from '../../protocol/errors.ts';
import { formatTarget } from '../../protocol/target.ts';
import { targetFromUserMetadata } from '../../protocol/user-metadata.ts';
import type { HybridConnection } from '../arm/connections.ts';
import type { Namespace } from '../arm/namespaces.ts';

export interface ConnectionView {
  readonly namespace: string;
  readonly name: string;
  readonly resourceGroup: string;
  readonly subscriptionId: string;
  readonly id: string;
  /** Where listeners and senders connect. */
  readonly host: string;
  /** `HOST:PORT`; undefined when the metadata names none. */
  readonly target?: string;
  /** Why the metadata cannot be read: App Service cannot either. */
  readonly metadataFault?: string;
  readonly requiresClientAuthorization: boolean;
  /** Online now. */
  readonly listenerCount: number;
  readonly createdAt?: string;
  readonly updatedAt?: string;
}

export function viewConnection(namespace: Namespace, connection: HybridConnection): ConnectionView {
  const { createdAt, updatedAt, requiresClientAuthorization, listenerCount, id } = connection;
  const { name, resourceGroup, subscriptionId, host } = namespace;
  return {
    namespace: name,
    name: connection.connection,
    ...{ resourceGroup, subscriptionId, id, host },
    ...readMetadata(connection.userMetadata),
    ...{ requiresClientAuthorization, listenerCount },
    ...(createdAt === undefined ? {} : { createdAt }),
    ...(updatedAt === undefined ? {} : { updatedAt }),
  };
}

/** The target that a metadata text names, or why it cannot be read; neither when it names none. */
export function readMetadata(text: string | undefined): { target?: string; metadataFault?: string } {
  try {
    const target = targetFromUserMetadata(text);
    return target === undefined ? {} : { target: formatTarget(target) };
  } catch (error) {
    if (!(error instanceof HcmError)) throw error;
    return { metadataFault: error.message };
  }
}

/** Host names have no case. */
export function sameTarget(one: string | undefined, other: string | undefined): boolean {
  return one?.toLowerCase() === other?.toLowerCase();
}
