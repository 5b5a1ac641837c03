/**
 * The way to Azure Resource Manager and to the sign-in: an HTTP client for the SDKs whose connections somebody else
 * dials. So both go through the same proxies, trust the same CAs and fail with the same codes as the tunnel.
 */
import type { Agent as HttpAgent } from 'node:http';
import type { Agent } from 'node:https';
import type { Socket } from 'node:net';
import type { HttpClient, PipelineRequest, PipelineResponse } from '@azure/core-rest-pipeline';
import { ERROR_CODES, HcmError } from '../../protocol/errors.ts';
import { errorFromNetwork } from '../../protocol/network-errors.ts';

/** Resolves with a connected socket, TLS included; rejects with HcmError. */
export type Dial = (host: string, port: number) => Promise<Socket>;

const HTTP_PORT = 80;
const HTTPS_PORT = 443;
/** The identity endpoint of a machine is a hop away: where nothing has answered by then, there is none. */
const IDENTITY_CONNECT_TIMEOUT_MS = 3_000;

export interface Transport extends HttpClient {
  /** Why the last request did not reach its server; undefined when it did. MSAL loses it. */
  readonly lastFailure: HcmError | undefined;
  /** What Entra ID said when it last refused something. MSAL loses it where it tries again in another way. */
  readonly lastRefusal: string | undefined;
}

export async function createTransport(dial: Dial): Promise<Transport> {
  const { createDefaultHttpClient } = await import('@azure/core-rest-pipeline');
  return new DialedTransport(createDefaultHttpClient(), {
    secure: await createAgent(dial),
    plain: await createPlainAgent(),
  });
}

class DialedTransport implements Transport {
  lastFailure: HcmError | undefined;
  lastRefusal: string | undefined;
  readonly #client: HttpClient;
  readonly #agents: { readonly secure: Agent; readonly plain: HttpAgent };

  constructor(client: HttpClient, agents: { secure: Agent; plain: HttpAgent }) {
    this.#client = client;
    this.#agents = agents;
  }

  async sendRequest(request: PipelineRequest): Promise<PipelineResponse> {
    const { secure, plain } = this.#agents;
    const isSecure = request.url.startsWith('https:');
    request.agent = isSecure ? secure : plain;
    this.lastFailure = undefined;
    try {
      const answer = await this.#client.sendRequest(request);
      this.lastRefusal = refusalOf(answer);
      return answer;
    } catch (error) {
      this.lastFailure = failureOf(error, request.url);
      throw this.lastFailure ?? error;
    }
  }
}

/** Keeps connections for the next request; they do not keep the process alive. */
async function createAgent(dial: Dial): Promise<Agent> {
  const { Agent: HttpsAgent } = await import('node:https');
  const agent = new HttpsAgent({ keepAlive: true });
  agent.createConnection = (options, done) => {
    const { host, port } = options as { host?: string; port?: number | string };
    dial(withoutBrackets(host ?? ''), Number(port) || HTTPS_PORT).then(
      (socket) => {
        // What is dialed for a tunnel may be used half-open; HTTP closes both ways.
        socket.allowHalfOpen = false;
        done?.(null, socket);
      },
      (error: Error) => done?.(error, undefined as never),
    );
    return undefined;
  };
  return agent;
}

/** For the identity endpoint of a machine in Azure, the only one without TLS: next to us, never behind a proxy. */
async function createPlainAgent(): Promise<HttpAgent> {
  const [{ Agent: PlainAgent }, { connect }] = await Promise.all([import('node:http'), import('node:net')]);
  const agent = new PlainAgent();
  agent.createConnection = (options) => {
    const { host = '', port } = options as { host?: string; port?: number | string };
    const socket = connect({ host: withoutBrackets(host), port: Number(port) || HTTP_PORT });
    socket.setTimeout(IDENTITY_CONNECT_TIMEOUT_MS, () => socket.destroy(new NoAnswer()));
    socket.once('connect', () => socket.setTimeout(0));
    return socket;
  };
  return agent;
}

class NoAnswer extends Error {
  readonly code = 'ETIMEDOUT';
  override readonly message = `nobody answered within ${IDENTITY_CONNECT_TIMEOUT_MS / 1_000} s`;
}

/** Of the dialer's error the SDK keeps code and message. Undefined when the connection was there. */
function failureOf(error: unknown, url: string): HcmError | undefined {
  const { protocol, hostname, port: portText } = new URL(url);
  const host = withoutBrackets(hostname);
  const port = Number(portText) || (protocol === 'https:' ? HTTPS_PORT : HTTP_PORT);
  const { name, code, message } = error as { name?: string; code?: string; message: string };
  if (protocol === 'http:') {
    return name === 'AbortError' ? undefined : errorFromNetwork(error as Error, host, port);
  }
  const known = ERROR_CODES.find((ours) => ours === code);
  if (known === undefined) return undefined;
  const dns = { next: `Check the network and the proxy of this machine: nslookup ${host}` };
  return new HcmError(known, message, {
    details: { host, port, ...(known === 'HCM_DNS_FAILED' ? dns : {}) },
  });
}

function refusalOf({ status, bodyAsText }: PipelineResponse): string | undefined {
  if (status < 400 || !bodyAsText?.includes('AADSTS')) return undefined;
  try {
    const { error_description: said } = JSON.parse(bodyAsText) as { error_description?: string };
    return said;
  } catch {
    return undefined;
  }
}

function withoutBrackets(host: string): string {
  return host.replace(/^\[(.*)\]$/, '$1');
}
