/** An emulator to sign in at, and a client for it that is nothing but HTTPS. */
import { once } from 'node:events';
import { request as requestHttp, type IncomingMessage } from 'node:http';
import { request as requestHttps, type RequestOptions } from 'node:https';
import { text } from 'node:stream/consumers';
import { decodeJwt } from 'jose';
import { createCa } from '../../../src/emulator/ca.ts';
import type { CertifiedKey } from '../../../src/emulator/certified-key.ts';
import type { EmulatorOptions } from '../../../src/emulator/create-emulator.ts';
import { signingKey } from '../../helpers/signing-key.ts';
import { useEmulators, type EmulatorUnderTest } from './emulator-under-test.ts';

export const ARM = 'https://management.azure.com/.default';
export const RELAY = 'https://relay.azure.net/.default';
/** Azure CLI's: has no secret. */
export const CLI = '04b07795-8ddb-461a-bbee-02f9e1bf7b46';

export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
  /** The JSON of the body; {} when it is none. */
  readonly json: Readonly<Record<string, unknown>>;
}

export interface EntraUnderTest extends EmulatorUnderTest {
  readonly base: string;
  readonly tenantId: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** For the credentials of @azure/identity. */
  readonly identity: {
    readonly authorityHost: string;
    readonly disableInstanceDiscovery: true;
    readonly tlsOptions: { ca: string };
    readonly retryOptions: { maxRetries: 0 };
  };
  readonly ask: (path: string, options?: RequestOptions, body?: string) => Promise<HttpAnswer>;
  readonly post: (path: string, form: Form, headers?: Form) => Promise<HttpAnswer>;
  /** A request to the token endpoint of version 2. */
  readonly token: (form: Form, headers?: Form) => Promise<HttpAnswer>;
  /** The emulator's own client gets a token, or another does. */
  readonly accessToken: (
    scope: string,
    client?: { clientId: string; clientSecret: string },
  ) => Promise<string>;
}

type Form = Record<string, string>;

/** One authority for all tests of a process: issuing one takes as long as the rest of a start. */
let authority: Promise<CertifiedKey> | undefined;

/**
 * To be called inside `describe`.
 * @param insecure plain HTTP, which is far faster, for tests without other people's clients.
 */
export function useEntra({ insecure = false } = {}): (options?: EmulatorOptions) => Promise<EntraUnderTest> {
  const start = useEmulators();
  return async (options = {}) => {
    const under = await start({
      ...{ ...options, insecure, ca: insecure ? undefined : await (authority ??= createCa()) },
      behaviour: { deviceCodeIntervalS: 0, ...options.behaviour },
    });
    under.emulator.state.signingKey ??= await signingKey();
    return describeEntra(under);
  };
}

function describeEntra(under: EmulatorUnderTest): EntraUnderTest {
  const { emulator } = under;
  const { tenantId, clientId, clientSecret } = emulator.state;
  const ca = emulator.caPem;
  const base = `${ca === '' ? 'http' : 'https'}://localhost:${emulator.port}`;
  const ask = async (path: string, options: RequestOptions = {}, body = ''): Promise<HttpAnswer> => {
    const send = ca === '' ? requestHttp : requestHttps;
    const asked = send(`${base}${path}`, { ca, agent: false, ...options });
    asked.end(body);
    const [response] = (await once(asked, 'response')) as [IncomingMessage];
    const content = await text(response);
    const isJson = response.headers['content-type']?.startsWith('application/json') === true;
    return {
      ...{ status: response.statusCode ?? 0, headers: response.headers, text: content },
      json: isJson ? (JSON.parse(content) as Record<string, unknown>) : {},
    };
  };
  const post = (path: string, form: Form, headers: Form = {}) => {
    const type = { 'Content-Type': 'application/x-www-form-urlencoded' };
    return ask(
      path,
      { method: 'POST', headers: { ...type, ...headers } },
      new URLSearchParams(form).toString(),
    );
  };
  const token = (form: Form, headers: Form = {}) => post(`/${tenantId}/oauth2/v2.0/token`, form, headers);
  return {
    ...under,
    ...{ base, tenantId, clientId, clientSecret, ask, post, token },
    identity: {
      ...{ authorityHost: base, disableInstanceDiscovery: true, tlsOptions: { ca } },
      retryOptions: { maxRetries: 0 },
    },
    async accessToken(scope, client = { clientId, clientSecret }) {
      const answer = await token({
        ...{ grant_type: 'client_credentials', scope },
        ...{ client_id: client.clientId, client_secret: client.clientSecret },
      });
      if (answer.status !== 200) throw new Error(answer.text);
      return answer.json['access_token'] as string;
    },
  };
}

/** What a token says; its signature is not looked at. */
export function claimsOf(token: unknown): Record<string, unknown> {
  return decodeJwt(String(token));
}

/** Sets variables of the environment while `act` runs. */
export async function withEnvironment<T>(
  variables: Readonly<Record<string, string>>,
  act: () => Promise<T>,
): Promise<T> {
  const before = Object.keys(variables).map((name) => [name, process.env[name]] as const);
  Object.assign(process.env, variables);
  try {
    return await act();
  } finally {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  }
}
