/** One call to Microsoft.Relay: with the client of the right subscription, and errors in our words. */
import type { RelayAPI } from '@azure/arm-relay';
import { toArmError } from './arm-error.ts';
import type { Azure } from './azure.ts';

/** Rejects with HcmError; `about` says what the call is for: `the namespace "x"`. */
export async function callRelay<T>(
  azure: Azure,
  { subscriptionId, about }: { subscriptionId: string; about: string },
  call: (relay: RelayAPI) => Promise<T>,
): Promise<T> {
  const relay = await azure.in(subscriptionId).relay();
  try {
    return await call(relay);
  } catch (error) {
    throw toArmError(error, about);
  }
}
