/**
 * `hcm login`: tries a way to sign in at once, looks at what it may see, and remembers it. Nothing is remembered of a
 * sign-in that failed.
 */
import { openAzure, type AzureOptions } from '../arm/azure.ts';
import { listSubscriptions, type Subscription } from '../arm/subscriptions.ts';
import { removeFile, saveText } from '../config/json-file.ts';
import {
  clientSecretFile,
  loadAccount,
  saveAccount,
  tokenCacheFile,
  type Account,
  type AuthMethod,
} from './account.ts';
import { readIdentity } from './identity.ts';
import {
  openCredential,
  planSignIn,
  sessionOf,
  type OpenCredential,
  type SessionRequest,
  type SignInPlan,
} from './session.ts';
import { toSignInError } from './sign-in-error.ts';
import { findSubscription } from './subscriptions.ts';

export interface SignInRequest extends SessionRequest {
  method: AuthMethod;
  /** Name or id of the subscription to choose. */
  wanted?: string | undefined;
  /** Of a service principal, or of a managed identity that is not the machine's own. */
  clientId?: string | undefined;
  secret?: string | undefined;
  certificateFile?: string | undefined;
  /** Asks a person which one; undefined: nobody is there. */
  askSubscription?: ((known: readonly Subscription[]) => Promise<Subscription>) | undefined;
}

export interface SignedIn {
  readonly account: Account;
  readonly tenantId: string | undefined;
  readonly subscriptions: readonly Subscription[];
}

/** Rejects with HcmError: of the sign-in, of the network, of Azure, HCM_SUBSCRIPTION_MISSING, HCM_STATE_*. */
export async function signIn(request: SignInRequest, options: AzureOptions): Promise<SignedIn> {
  const { method, cloud, directory, clientId, certificateFile, tenant } = request;
  const previous = await loadAccount(directory, cloud.name);
  const given: Account = {
    method,
    ...(tenant === undefined ? {} : { tenantId: tenant }),
    ...(clientId === undefined ? {} : { clientId }),
    ...(certificateFile === undefined ? {} : { certificateFile }),
  };
  const plan = await planSignIn(request, method, given);
  const credential = await openCredential(request, plan);
  const record = await authenticate(credential, request, plan);
  const session = sessionOf(request, plan, credential);
  const token = await session.credential.getToken(cloud.armScope, { enableCae: true });
  const who = readIdentity(token?.token ?? '');
  const subscriptions = await listSubscriptions(openAzure(session, { ...options, subscriptionId: '' }));
  const chosen = await chooseSubscription(subscriptions, request, [
    plan.subscriptionId,
    previous?.subscriptionId,
  ]);
  const tenantId = tenant ?? record?.tenantId ?? (method === 'service-principal' ? plan.tenantId : undefined);
  const account: Account = {
    ...given,
    ...definedTexts({
      tenantId,
      name: record?.username ?? plan.name ?? who.name,
      record: record?.text,
      subscriptionId: chosen?.subscriptionId,
      subscriptionName: chosen?.displayName,
    }),
  };
  await remember(request, account);
  return { account, tenantId: tenantId ?? plan.tenantId ?? who.tenantId, subscriptions };
}

/** Forgets the sign-in and its secrets. False when there was none. */
export async function signOut(directory: string, cloud: string): Promise<boolean> {
  const account = await loadAccount(directory, cloud);
  await Promise.all([
    removeFile(tokenCacheFile(directory, cloud)),
    removeFile(clientSecretFile(directory, cloud)),
  ]);
  if (account !== undefined) await saveAccount(directory, cloud, undefined);
  return account !== undefined;
}

/** Remembers the subscription, and the tenant where one is given, beside whatever is remembered of the sign-in. */
export async function selectSubscription(
  { directory, cloud }: { directory: string; cloud: string },
  chosen: Subscription,
  tenantId: string | undefined,
): Promise<void> {
  const account = await loadAccount(directory, cloud);
  await saveAccount(directory, cloud, {
    ...account,
    ...{ subscriptionId: chosen.subscriptionId, subscriptionName: chosen.displayName },
    ...(tenantId === undefined ? {} : { tenantId }),
  });
}

interface PersonRecord {
  readonly text: string;
  readonly username: string;
  readonly tenantId: string;
}

/** Has a person sign in, where the method is one for people. */
async function authenticate(
  { inner, httpClient }: OpenCredential,
  { cloud, method }: SignInRequest,
  { tenantId }: SignInPlan,
): Promise<PersonRecord | undefined> {
  if (inner.authenticate === undefined) return undefined;
  try {
    const record = await inner.authenticate(cloud.armScope, { enableCae: true });
    if (record === undefined) throw new Error('nobody signed in');
    const { serializeAuthenticationRecord } = await import('@azure/identity');
    const text = serializeAuthenticationRecord(record);
    return { text, username: record.username, tenantId: record.tenantId };
  } catch (error) {
    const { lastFailure: failure, lastRefusal: refusal } = httpClient;
    throw toSignInError(error, { cloud, method, tenantId, failure, refusal });
  }
}

async function chooseSubscription(
  known: readonly Subscription[],
  { wanted, askSubscription }: SignInRequest,
  candidates: readonly (string | undefined)[],
): Promise<Subscription | undefined> {
  if (wanted !== undefined) return findSubscription(known, wanted);
  for (const id of candidates) {
    const found = known.find(({ subscriptionId }) => subscriptionId.toLowerCase() === id?.toLowerCase());
    if (found !== undefined) return found;
  }
  return known.length > 1 ? askSubscription?.(known) : known[0];
}

async function remember(
  { cloud, directory, secret, method }: SignInRequest,
  account: Account,
): Promise<void> {
  const secretFile = clientSecretFile(directory, cloud.name);
  // Secrets of the sign-in before are of no use any more.
  await (method === 'service-principal' && secret !== undefined
    ? saveText(secretFile, `${secret}\n`)
    : removeFile(secretFile));
  if (account.record === undefined) await removeFile(tokenCacheFile(directory, cloud.name));
  await saveAccount(directory, cloud.name, account);
}

function definedTexts<T extends Record<string, string | undefined>>(texts: T): { [K in keyof T]?: string } {
  const entries = Object.entries(texts).filter(([, text]) => text !== undefined && text !== '');
  return Object.fromEntries(entries) as { [K in keyof T]?: string };
}
