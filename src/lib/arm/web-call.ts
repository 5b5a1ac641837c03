/** One call to App Service, with errors in our words. Retries and Ctrl-C are the business of the pipeline. */
import type { WebSiteManagementClient } from '@azure/arm-appservice';
import { HcmError } from '../../protocol/errors.ts';
import { toArmError } from './arm-error.ts';
import type { Azure } from './azure.ts';

/** Rejects with HcmError; `about` says what the call is for: `the app "x"`. */
export async function callWeb<T>(
  azure: Azure,
  about: string,
  call: (web: WebSiteManagementClient) => Promise<T>,
): Promise<T> {
  try {
    return await call(await azure.web());
  } catch (error) {
    throw toArmError(error, about);
  }
}

/** All items of all pages. */
export async function collect<T>(pages: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of pages) items.push(item);
  return items;
}

/** Undefined when Azure says that there is no such thing; that the whole subscription is not there stays an error. */
export async function orGone<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    const gone = error instanceof HcmError && error.code === 'HCM_RESOURCE_NOT_FOUND';
    if (!gone || /subscription/i.test(String(error.details['azureCode']))) throw error;
    return undefined;
  }
}
