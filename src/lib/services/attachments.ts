/**
 * The apps that use a hybrid connection, where a command must know all of them: those of the subscription at hand and of
 * the connection's own. Apps of others cannot be seen from here.
 */
import { HcmError } from '../../protocol/errors.ts';
import type { Azure } from '../arm/azure.ts';
import type { ConnectionRef } from '../arm/references.ts';
import { findAttachments, type Attachment } from './apps.ts';

/** @throws HcmError HCM_AZURE_FORBIDDEN, naming the flag that leaves apps out. */
export async function findAllAttachments(azure: Azure, connection: ConnectionRef): Promise<Attachment[]> {
  const places = new Set([azure.subscriptionId, connection.subscriptionId]);
  const lists = [...places].map((subscriptionId) => findAttachments(azure.in(subscriptionId), connection));
  return (await orForbidden(Promise.all(lists))).flat();
}

/** Who may not read apps may still go on, knowing that they stay as they are. */
export async function orForbidden<T>(reading: Promise<T>): Promise<T> {
  try {
    return await reading;
  } catch (error) {
    if (!(error instanceof HcmError) || error.code !== 'HCM_AZURE_FORBIDDEN') throw error;
    throw new HcmError(error.code, error.message, {
      details: { ...error.details, next: 'With --skip-apps, attached apps are left as they are' },
      cause: error,
    });
  }
}
