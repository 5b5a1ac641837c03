/**
 * A sign-in to one cloud: whose tokens to show, over which connections, in which tenant and subscription. Opening one
 * asks nobody for a token yet; the first call does.
 */
import type { AccessToken, GetTokenOptions, TokenCredential } from '@azure/core-auth';
import type { HttpClient } from '@azure/core-rest-pipeline';
import { HcmError } from '../../protocol/errors.ts';
import { shareTokens } from '../arm/shared-tokens.ts';
import { loadAccount, type Account, type AuthMethod } from './account.ts';
import { loadAzSubscriptions, type AzSubscription } from './az-profile.ts';
import type { Cloud } from './cloud.ts';
import { createCredential, type OurCredential, type Prompt } from './credentials.ts';
import { chooseMethod } from './method.ts';
import { toSignInError } from './sign-in-error.ts';
import { createTransport, type Dial, type Transport } from './transport.ts';

export interface Session {
  readonly cloud: Cloud;
  readonly method: AuthMethod;
  /** Rejects with HcmError (or an AbortError). Asks once for a token that several want, and while it lasts. */
  readonly credential: TokenCredential;
  /**
   * To be given to every client of an SDK as `httpClient`: it knows proxies and CAs. Rejects with HcmError when the
   * server cannot be reached.
   */
  readonly httpClient: HttpClient;
  readonly tenantId?: string;
  /** The subscription to use when nobody names one. Of AZURE_SUBSCRIPTION_ID it may be a name. */
  readonly subscriptionId?: string;
  /** As whom, as far as it is known without asking. */
  readonly account?: string;
}

export interface SessionRequest {
  cloud: Cloud;
  auth?: AuthMethod | undefined;
  /** An id or a domain; default AZURE_TENANT_ID. */
  tenant?: string | undefined;
  /** An id; default AZURE_SUBSCRIPTION_ID. */
  subscription?: string | undefined;
  env: Readonly<Record<string, string | undefined>>;
  /** The user's state folder. */
  directory: string;
  dial: Dial;
  /** Undefined: nobody is there to be asked. */
  prompt?: Prompt | undefined;
}

const METHODS_OF_APPS = new Set<AuthMethod>(['local', 'env', 'workload', 'github', 'managed']);

/** What is known of a sign-in before anybody is asked for a token. */
export interface SignInPlan {
  readonly method: AuthMethod;
  /** What was remembered of it, or is about to be. */
  readonly account: Account | undefined;
  readonly tenantId: string | undefined;
  readonly subscriptionId: string | undefined;
  readonly name: string | undefined;
}

/** @throws HcmError HCM_SIGN_IN_REQUIRED where what the method needs is not there; HCM_STATE_CORRUPT. */
export async function openSession(request: SessionRequest): Promise<Session> {
  const account = await loadAccount(request.directory, request.cloud.name);
  const method = chooseMethod({ ...request, account });
  const plan = await planSignIn(request, method, account);
  return sessionOf(request, plan, await openCredential(request, plan));
}

/** Joins what was asked for with what is remembered and what else is known without a call. */
export async function planSignIn(
  request: SessionRequest,
  method: AuthMethod,
  remembered: Account | undefined,
): Promise<SignInPlan> {
  const { cloud, env } = request;
  // A subscription may be remembered without a method; of another method nothing holds.
  const account = (remembered?.method ?? method) === method ? remembered : undefined;
  const own = method === 'local' ? cloud.local : undefined;
  // The variables are about Azure: the emulator's own app knows better.
  const tenant = request.tenant ?? (own === undefined ? env['AZURE_TENANT_ID'] || undefined : undefined);
  const ofEnv = own === undefined ? env['AZURE_SUBSCRIPTION_ID'] || undefined : undefined;
  const ofAz = method === 'cli' ? await loadAzSubscriptions(env, cloud.name) : [];
  const subscriptionId =
    request.subscription ??
    ofEnv ??
    account?.subscriptionId ??
    own?.subscriptionId ??
    defaultOf(ofAz, tenant)?.id;
  const chosen = ofAz.find(({ id }) => id.toLowerCase() === subscriptionId?.toLowerCase());
  return {
    ...{ method, account, subscriptionId },
    tenantId: tenant ?? account?.tenantId ?? own?.tenantId ?? (method === 'cli' ? chosen : cloud)?.tenantId,
    name: account?.name ?? (chosen ?? defaultOf(ofAz, tenant))?.user,
  };
}

/** What az would use; of another tenant than the one asked for it is of no use. */
function defaultOf(known: readonly AzSubscription[], tenant: string | undefined): AzSubscription | undefined {
  return known.find(({ isDefault, tenantId }) => isDefault && (tenant ?? tenantId) === tenantId);
}

export interface OpenCredential {
  readonly inner: OurCredential;
  readonly httpClient: Transport;
}

export async function openCredential(
  request: SessionRequest & { secret?: string | undefined },
  { method, account, tenantId }: SignInPlan,
): Promise<OpenCredential> {
  const { cloud, env, directory, prompt, secret } = request;
  const httpClient = await createTransport(
    cloud.local === undefined ? request.dial : ofEmulator(request.dial),
  );
  const context = { cloud, env, directory, httpClient, tenantId, account, prompt, secret };
  return { inner: await createCredential(method, context), httpClient };
}

export function sessionOf(
  { cloud, env }: SessionRequest,
  { method, account, tenantId, subscriptionId, name }: SignInPlan,
  { inner, httpClient }: OpenCredential,
): Session {
  const ofApp = method === 'local' ? cloud.local?.clientId : env['AZURE_CLIENT_ID'];
  const clientId = account?.clientId ?? (METHODS_OF_APPS.has(method) ? ofApp : undefined);
  const about = { cloud, method, tenantId, clientId };
  return {
    ...{ cloud, method, httpClient },
    credential: shareTokens({
      async getToken(scopes: string | string[], options?: GetTokenOptions): Promise<AccessToken> {
        try {
          const token = await inner.getToken(scopes, options);
          if (token === null) throw new Error('no token came back');
          return token;
        } catch (error) {
          const { lastFailure: failure, lastRefusal: refusal } = httpClient;
          throw toSignInError(error, { ...about, failure, refusal, claims: options?.claims });
        }
      },
    }),
    ...(tenantId === undefined ? {} : { tenantId }),
    ...(subscriptionId === undefined ? {} : { subscriptionId }),
    ...(name === undefined ? {} : { account: name }),
  };
}

/** An emulator that does not answer is not running. */
function ofEmulator(dial: Dial): Dial {
  return async (host, port) => {
    try {
      return await dial(host, port);
    } catch (error) {
      if (!(error instanceof HcmError) || error.code !== 'HCM_CONNECT_REFUSED') throw error;
      throw new HcmError('HCM_NOT_RUNNING', `The emulator does not answer at ${host}:${port}.`, {
        cause: error,
      });
    }
  };
}
