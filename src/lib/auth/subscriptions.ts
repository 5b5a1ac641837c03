/** Which subscription is meant: by name, by id, or because there is no other. */
import { openAzure, type Azure, type AzureOptions } from '../arm/azure.ts';
import { listSubscriptions, type Subscription } from '../arm/subscriptions.ts';
import { HcmError } from '../../protocol/errors.ts';
import type { Session } from './session.ts';

const ID_PATTERN = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const NAMES_SHOWN_MAX = 5;

/**
 * Azure, in the subscription asked for by name or id, else the session's, else the only one. Asks Azure for the list
 * only when no id is at hand.
 * @throws HcmError HCM_SUBSCRIPTION_MISSING, and as any call to Azure.
 */
export async function openAzureIn(
  session: Session,
  wanted: string | undefined,
  options: AzureOptions,
): Promise<Azure> {
  const named = wanted ?? session.subscriptionId;
  const azure = openAzure(session, { ...options, subscriptionId: named ?? '' });
  if (named !== undefined && ID_PATTERN.test(named)) return azure;
  const known = await listSubscriptions(azure);
  const chosen = named === undefined ? onlyOne(session, known) : findSubscription(known, named);
  return azure.in(chosen.subscriptionId);
}

/** By name or id, without case. @throws HcmError HCM_SUBSCRIPTION_MISSING. */
export function findSubscription(known: readonly Subscription[], wanted: string): Subscription {
  const text = wanted.toLowerCase();
  const found = known.filter(
    ({ subscriptionId, displayName }) =>
      subscriptionId.toLowerCase() === text || displayName.toLowerCase() === text,
  );
  const [first] = found;
  if (first !== undefined && found.length === 1) return first;
  const why = first === undefined ? 'is no subscription that you can see' : 'is the name of several';
  throw missing(`"${wanted}" ${why}`, known, 'hcm account list');
}

function onlyOne({ tenantId }: Session, known: readonly Subscription[]): Subscription {
  const [first] = known;
  if (first !== undefined && known.length === 1) return first;
  if (first !== undefined) {
    throw missing('No subscription is chosen', known, 'hcm account set --subscription NAME');
  }
  const where = tenantId === undefined ? '' : ` in the tenant ${tenantId}`;
  throw missing(`Your sign-in sees no subscription${where}`, known, 'hcm login --tenant TENANT');
}

function missing(what: string, known: readonly Subscription[], next: string): HcmError {
  const names = known.slice(0, NAMES_SHOWN_MAX).map(({ displayName }) => displayName);
  const more = known.length > names.length ? ', ...' : '';
  const list = names.length === 0 ? '' : ` There are: ${names.join(', ')}${more}.`;
  return new HcmError('HCM_SUBSCRIPTION_MISSING', `${what}.${list}`, { details: { next } });
}
