/**
 * A sign-in to one cloud: whose tokens to show, over which connections, in which tenant and subscription. Opening one
 * asks nobody for a token yet; the first call does.
 */
import type { AccessToken, GetTokenOptions, TokenCredential } from '@azure/core-auth';
import type { HttpClient } from '@azure/core-rest-pipeline';
import { loadAccount, type AuthMethod } from './account.ts';
import type { Cloud } from './cloud.ts';
import { createCredential, type Prompt } from './credentials.ts';
import { chooseMethod } from './method.ts';
import { toSignInError } from './sign-in-error.ts';
import { createTransport, type Dial } from './transport.ts';

export interface Session {
  readonly cloud: Cloud;
  readonly method: AuthMethod;
  /** Rejects with HcmError only. Caches tokens of its own in memory where the SDK does. */
  readonly credential: TokenCredential;
  /** To be given to every client of an SDK as `httpClient`: it knows proxies and CAs. Rejects with HcmError HCM_CONNECT_* etc. */
  readonly httpClient: HttpClient;
  readonly tenantId?: string;
  /** The subscription to use when nobody names one. */
  readonly subscriptionId?: string;
  /** As whom, as far as it is known without asking. */
  readonly account?: string;
}

export interface SessionRequest {
  cloud: Cloud;
  auth?: AuthMethod | undefined;
  tenant?: string | undefined;
  subscription?: string | undefined;
  env: Readonly<Record<string, string | undefined>>;
  /** The user's state folder. */
  directory: string;
  dial: Dial;
  /** Undefined: nobody is there to be asked. */
  prompt?: Prompt | undefined;
}

/** @throws HcmError HCM_SIGN_IN_REQUIRED where what the method needs is not there; HCM_STATE_CORRUPT. */
export async function openSession(request: SessionRequest): Promise<Session> {
  const { cloud, env, directory } = request;
  const account = await loadAccount(directory, cloud.name);
  const method = chooseMethod({ ...request, account });
  const remembered = account?.method === method ? account : undefined;
  const own = method === 'local' ? cloud.local : undefined;
  const tenantId =
    request.tenant ?? remembered?.tenantId ?? own?.tenantId ?? cloud.tenantId ?? env['AZURE_TENANT_ID'];
  const subscriptionId =
    request.subscription ?? remembered?.subscriptionId ?? own?.subscriptionId ?? env['AZURE_SUBSCRIPTION_ID'];
  const httpClient = await createTransport(request.dial);
  const inner = await createCredential(method, {
    ...{ cloud, env, directory, httpClient, tenantId, account: remembered },
    prompt: request.prompt,
  });
  const about = { cloud, method, tenantId, clientId: remembered?.clientId ?? own?.clientId };
  return {
    ...{ cloud, method, httpClient },
    credential: {
      async getToken(scopes: string | string[], options?: GetTokenOptions): Promise<AccessToken> {
        try {
          const token = await inner.getToken(scopes, options);
          if (token === null) throw new Error('no token came back');
          return token;
        } catch (error) {
          throw toSignInError(error, { ...about, failure: httpClient.lastFailure, claims: options?.claims });
        }
      },
    },
    ...(tenantId === undefined ? {} : { tenantId }),
    ...(subscriptionId === undefined ? {} : { subscriptionId }),
    ...(remembered?.name === undefined ? {} : { account: remembered.name }),
  };
}
