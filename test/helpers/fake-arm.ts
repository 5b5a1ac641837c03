/** A Resource Manager of a few lines, in memory, and hcm's way to it: for answers that a real one gives on bad days. */
import { createHttpHeaders, type HttpClient, type PipelineRequest } from '@azure/core-rest-pipeline';
import type { ArmClock } from '../../src/lib/arm/arm-clock.ts';
import { openAzure, type Azure, type AzureOptions } from '../../src/lib/arm/azure.ts';
import { BUILT_IN_CLOUDS } from '../../src/lib/auth/cloud.ts';
import type { Session } from '../../src/lib/auth/session.ts';

export const SUBSCRIPTION = '00000000-0000-0000-0000-00000000000a';

export interface FakeAnswer {
  status?: number;
  headers?: Record<string, string>;
  /** As JSON; a text is sent as it is. */
  body?: unknown;
}

export interface SeenRequest {
  method: string;
  /** With the query. */
  url: string;
  path: string;
  headers: Record<string, string>;
  body: unknown;
}

/** Throws to break the connection. `count` is the number of the request, from 0. */
export type Answering = (
  request: SeenRequest,
  count: number,
) => FakeAnswer | undefined | Promise<FakeAnswer | undefined>;

export class FakeArm {
  readonly requests: SeenRequest[] = [];
  readonly reports: string[] = [];
  readonly sleepsMs: number[] = [];
  /** Scopes of the tokens that were asked for. */
  readonly tokenScopes: string[] = [];
  readonly azure: Azure;
  readonly #answer: Answering;
  #nowMs = 0;

  /** Pauses take no time, and move the clock on. */
  constructor(answer: Answering, options: AzureOptions = {}, credential?: Session['credential']) {
    this.#answer = answer;
    const [cloud] = BUILT_IN_CLOUDS;
    if (cloud === undefined) throw new Error('no public cloud');
    const session: Session = {
      ...{ cloud, method: 'cli', httpClient: this.#client },
      credential: credential ?? {
        getToken: (scopes) => {
          this.tokenScopes.push(String(scopes));
          return Promise.resolve({ token: 'token', expiresOnTimestamp: Date.now() + 3_600_000 });
        },
      },
    };
    this.azure = openAzure(session, {
      ...{ subscriptionId: SUBSCRIPTION, report: (text) => void this.reports.push(text), clock: this.clock },
      ...options,
    });
  }

  get clock(): ArmClock {
    return {
      nowMs: () => this.#nowMs,
      sleep: (delayMs, signal) => {
        this.sleepsMs.push(delayMs);
        this.#nowMs += delayMs;
        return signal?.aborted ? Promise.reject(signal.reason as Error) : Promise.resolve();
      },
    };
  }

  /** `METHOD /path` of every request, without the query. */
  get lines(): string[] {
    return this.requests.map(({ method, path }) => `${method} ${path}`);
  }

  get #client(): HttpClient {
    return {
      sendRequest: async (request) => {
        const seen = seenRequest(request);
        this.requests.push(seen);
        const {
          status = 200,
          headers = {},
          body,
        } = (await this.#answer(seen, this.requests.length - 1)) ?? {};
        return {
          ...{ request, status },
          headers: createHttpHeaders({ 'content-type': 'application/json', ...headers }),
          bodyAsText: body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body),
        };
      },
    };
  }
}

function seenRequest(request: PipelineRequest): SeenRequest {
  const { method, url, headers, body } = request;
  return {
    ...{ method, url, path: decodeURIComponent(new URL(url).pathname), headers: headers.toJSON() },
    body: typeof body === 'string' && body !== '' ? (JSON.parse(body) as unknown) : undefined,
  };
}

/** The body of Resource Manager's errors. */
export function armError(code: string, message: string): { error: { code: string; message: string } } {
  return { error: { code, message } };
}

/** The namespace `name` as Azure answers it. */
export function wireNamespace(
  name: string,
  options: { status?: string; state?: string; group?: string } = {},
): object {
  const { status = 'Active', state = 'Succeeded', group = 'g' } = options;
  return {
    id: `/subscriptions/${SUBSCRIPTION}/resourceGroups/${group}/providers/Microsoft.Relay/namespaces/${name}`,
    ...{ name, type: 'Microsoft.Relay/Namespaces', location: 'West Europe', tags: {} },
    sku: { name: 'Standard', tier: 'Standard' },
    properties: {
      provisioningState: state,
      serviceBusEndpoint: `https://${name}.servicebus.windows.net:443/`,
      status,
    },
  };
}
