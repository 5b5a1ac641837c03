/** Hybrid connections of a namespace: listed, read, written, deleted. */
import type { HybridConnection as WireConnection } from '@azure/arm-relay';
import type { Azure } from './azure.ts';
import type { ConnectionRef, NamespaceRef } from './references.ts';
import { callRelay } from './relay-call.ts';
import { collect, orGone } from './web-call.ts';

export interface HybridConnection extends ConnectionRef {
  readonly id: string;
  /** As it is in Azure; `targetFromUserMetadata` reads it. */
  readonly userMetadata: string | undefined;
  readonly requiresClientAuthorization: boolean;
  /** Online now, at most 25. */
  readonly listenerCount: number;
  readonly createdAt?: string;
  readonly updatedAt?: string;
}

export interface ConnectionSettings {
  readonly userMetadata: string | undefined;
  readonly requiresClientAuthorization: boolean;
}

export async function listConnections(azure: Azure, namespace: NamespaceRef): Promise<HybridConnection[]> {
  const { subscriptionId, resourceGroup, name } = namespace;
  const about = `the hybrid connections of the namespace "${name}"`;
  const items = await callRelay(azure, { subscriptionId, about }, (relay) =>
    collect(relay.hybridConnections.listByNamespace(resourceGroup, name)),
  );
  return items.map((item) => toConnection(namespace, item));
}

/** Undefined when there is none of this name. */
export async function getConnection(azure: Azure, ref: ConnectionRef): Promise<HybridConnection | undefined> {
  const item = await orGone(
    callRelay(azure, aboutCall(ref), (relay) =>
      relay.hybridConnections.get(ref.resourceGroup, ref.name, ref.connection),
    ),
  );
  return item && toConnection(ref, item);
}

/** Makes it, or writes all of it anew: what is not given is gone. */
export async function putConnection(
  azure: Azure,
  ref: ConnectionRef,
  { userMetadata, requiresClientAuthorization }: ConnectionSettings,
): Promise<HybridConnection> {
  const body: WireConnection = {
    requiresClientAuthorization,
    ...(userMetadata === undefined ? {} : { userMetadata }),
  };
  const item = await callRelay(azure, aboutCall(ref), (relay) =>
    relay.hybridConnections.createOrUpdate(ref.resourceGroup, ref.name, ref.connection, body),
  );
  return toConnection(ref, item);
}

/** False when it was gone already. */
export async function deleteConnection(azure: Azure, ref: ConnectionRef): Promise<boolean> {
  const done = await orGone(
    callRelay(azure, aboutCall(ref), async (relay) => {
      let status = 200;
      await relay.hybridConnections.delete(ref.resourceGroup, ref.name, ref.connection, {
        onResponse: (response) => void (status = response.status),
      });
      // 204: Azure's word for "it was not there".
      return status !== 204;
    }),
  );
  return done ?? false;
}

function aboutCall(ref: ConnectionRef): { subscriptionId: string; about: string } {
  return {
    subscriptionId: ref.subscriptionId,
    about: `the hybrid connection "${ref.name}/${ref.connection}"`,
  };
}

function toConnection(
  { subscriptionId, resourceGroup, name }: NamespaceRef,
  item: WireConnection,
): HybridConnection {
  const { createdAt, updatedAt } = item;
  return {
    ...{ subscriptionId, resourceGroup, name },
    connection: item.name ?? '',
    id: item.id ?? '',
    userMetadata: item.userMetadata,
    requiresClientAuthorization: item.requiresClientAuthorization ?? true,
    listenerCount: item.listenerCount ?? 0,
    ...(isDate(createdAt) ? { createdAt: createdAt.toISOString() } : {}),
    ...(isDate(updatedAt) ? { updatedAt: updatedAt.toISOString() } : {}),
  };
}

/** An update was seen answered with the year 1. */
function isDate(date: Date | undefined): date is Date {
  return date !== undefined && !Number.isNaN(date.getTime()) && date.getUTCFullYear() > 1;
}
