/**
 * The way to Azure Resource Manager and to the sign-in: an HTTP client for the SDKs whose connections somebody else
 * dials. So both go through the same proxies, trust the same CAs and fail with the same codes as the tunnel.
 */
import type { Socket } from 'node:net';
import type { Agent } from 'node:https';
import type { HttpClient, PipelineRequest } from '@azure/core-rest-pipeline';
import { ERROR_CODES, HcmError, type ErrorCode } from '../../protocol/errors.ts';

/** Resolves with a connected socket, TLS included; rejects with HcmError. */
export type Dial = (host: string, port: number) => Promise<Socket>;

const HTTPS_PORT = 443;
/** Failures of one attempt that the next may not have: of a network in trouble, not of a wrong name or certificate. */
const NETWORK_TROUBLE = new Set<ErrorCode>(['HCM_CONNECT_FAILED', 'HCM_CONNECT_TIMEOUT', 'HCM_TLS_FAILED']);

export interface Transport extends HttpClient {
  /** Why the last request did not reach its server; undefined when it did. What stands above may have lost it. */
  readonly lastFailure: HcmError | undefined;
}

export async function createTransport(dial: Dial): Promise<Transport> {
  const [{ createDefaultHttpClient }, agent] = await Promise.all([
    import('@azure/core-rest-pipeline'),
    createAgent(dial),
  ]);
  const client = createDefaultHttpClient();
  let lastFailure: HcmError | undefined;
  return {
    get lastFailure() {
      return lastFailure;
    },
    async sendRequest(request) {
      // Plain http is only for the identity endpoint of a machine in Azure: always next to us, and never behind a proxy.
      const isSecure = request.url.startsWith('https:');
      if (isSecure) request.agent = agent as NonNullable<PipelineRequest['agent']>;
      else delete request.agent;
      try {
        const answer = await client.sendRequest(request);
        lastFailure = undefined;
        return answer;
      } catch (error) {
        lastFailure = networkFailure(error, request.url);
        throw lastFailure ?? error;
      }
    },
  };
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

/** Of the dialer's error the SDK keeps code and message. */
function networkFailure(error: unknown, url: string): HcmError | undefined {
  if (error instanceof HcmError) return error;
  const { code, message } = error as { code?: string; message: string };
  const known = ERROR_CODES.find((name) => name === code);
  if (known === undefined) return undefined;
  const { hostname, port } = new URL(url);
  return new HcmError(known, message, {
    retryable: NETWORK_TROUBLE.has(known),
    details: { host: withoutBrackets(hostname), port: Number(port) || HTTPS_PORT },
  });
}

function withoutBrackets(host: string): string {
  return host.replace(/^\[(.*)\]$/, '$1');
}
