/**
 * The way to Azure Resource Manager: the clients of the SDK and plain calls, on one transport, one credential and one
 * rule for trying again. SDKs are loaded when a client is first asked for. Holds nothing that must be closed.
 */
import type { RelayAPI } from '@azure/arm-relay';
import type { WebSiteManagementClient } from '@azure/arm-appservice';
import type { HttpClient, HttpMethods, Pipeline, PipelineResponse } from '@azure/core-rest-pipeline';
import { HcmError } from '../../protocol/errors.ts';
import type { Cloud } from '../auth/cloud.ts';
import type { Session } from '../auth/session.ts';
import { systemArmClock, type ArmClock } from './arm-clock.ts';
import { toArmError } from './arm-error.ts';
import { retryPolicy, type Report, type RetryTuning } from './retry.ts';
import { shareTokens } from './shared-tokens.ts';

export type { Report, RetryTuning } from './retry.ts';

export interface ArmRequest {
  method: HttpMethods;
  /** Begins with `/`; or a whole URL of the same ARM, such as a nextLink, which brings its own api-version. */
  path: string;
  apiVersion: string;
  body?: unknown;
  /** What the call is for; begins the message of an error: `the namespace "x"`. */
  about?: string;
}

export interface ArmAnswer<T> {
  status: number;
  /** Names in lower case. */
  headers: Readonly<Record<string, string>>;
  body: T;
}

export interface Azure {
  readonly cloud: Cloud;
  /** @throws HcmError HCM_SUBSCRIPTION_MISSING when none was chosen. */
  readonly subscriptionId: string;
  /** Fires at Ctrl-C; every call and every pause ends then. */
  readonly signal: AbortSignal | undefined;
  readonly report: Report;
  readonly clock: ArmClock;
  /** The same for another subscription. */
  in(subscriptionId: string): Azure;
  /** Only for lib/arm: nothing else sees types of the SDK. */
  relay(): Promise<RelayAPI>;
  /** Only for lib/arm. */
  web(): Promise<WebSiteManagementClient>;
  /** Any call. `body` is undefined for an empty answer. @throws HcmError by `toArmError` for a status of 400 or more. */
  send<T>(request: ArmRequest): Promise<ArmAnswer<T>>;
}

export interface AzureOptions {
  /** Default: the session's. */
  subscriptionId?: string | undefined;
  signal?: AbortSignal | undefined;
  report?: Report;
  retry?: RetryTuning;
  clock?: ArmClock;
  /** `hcm/1.2.3` */
  userAgent?: string;
}

/** Without a subscription, only calls that need none (`send` of `/subscriptions`) can be made. */
export function openAzure(session: Session, options: AzureOptions = {}): Azure {
  return new Connection(session, options).in(options.subscriptionId ?? session.subscriptionId);
}

/** What all subscriptions share. */
class Connection {
  readonly cloud: Cloud;
  readonly signal: AbortSignal | undefined;
  readonly report: Report;
  readonly clock: ArmClock;
  readonly #session: Session;
  readonly #credential;
  readonly #options: AzureOptions;
  readonly #bySubscription = new Map<string | undefined, Azure>();
  #pipeline: Promise<Pipeline> | undefined;

  constructor(session: Session, options: AzureOptions) {
    this.#session = session;
    this.#credential = shareTokens(session.credential);
    this.#options = options;
    this.cloud = session.cloud;
    this.signal = options.signal;
    this.report = options.report ?? (() => undefined);
    this.clock = options.clock ?? systemArmClock;
  }

  in(subscriptionId: string | undefined): Azure {
    const known = this.#bySubscription.get(subscriptionId);
    if (known !== undefined) return known;
    const { cloud, signal, report, clock } = this;
    let relay: Promise<RelayAPI> | undefined;
    let web: Promise<WebSiteManagementClient> | undefined;
    const azure: Azure = {
      ...{ cloud, signal, report, clock },
      get subscriptionId() {
        if (subscriptionId !== undefined) return subscriptionId;
        throw new HcmError('HCM_SUBSCRIPTION_MISSING', 'No subscription is chosen.');
      },
      in: (other) => this.in(other),
      relay: () => (relay ??= this.#openRelay(azure.subscriptionId)),
      web: () => (web ??= this.#openWeb(azure.subscriptionId)),
      send: (request) => this.#send(request),
    };
    this.#bySubscription.set(subscriptionId, azure);
    return azure;
  }

  async #openRelay(subscriptionId: string): Promise<RelayAPI> {
    const { RelayAPI } = await import('@azure/arm-relay');
    return this.#withRetry(new RelayAPI(this.#credential, subscriptionId, this.#clientOptions));
  }

  async #openWeb(subscriptionId: string): Promise<WebSiteManagementClient> {
    const { WebSiteManagementClient } = await import('@azure/arm-appservice');
    return this.#withRetry(
      new WebSiteManagementClient(this.#credential, subscriptionId, this.#clientOptions),
    );
  }

  async #send<T>(request: ArmRequest): Promise<ArmAnswer<T>> {
    const { method, path, about = `${method} ${path}` } = request;
    try {
      const { createPipelineRequest, createHttpHeaders, RestError } =
        await import('@azure/core-rest-pipeline');
      const headers = createHttpHeaders({ accept: 'application/json' });
      if (request.body !== undefined) headers.set('content-type', 'application/json');
      const sent = createPipelineRequest({
        ...{ url: this.#urlOf(request), method, headers },
        ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
      });
      const pipeline = await (this.#pipeline ??= this.#openPipeline());
      const response = await pipeline.sendRequest(this.#httpClient, sent);
      if (response.status >= 400) {
        throw new RestError('', { statusCode: response.status, request: sent, response });
      }
      return {
        status: response.status,
        headers: response.headers.toJSON(),
        body: bodyOf<T>(response, about),
      };
    } catch (error) {
      throw toArmError(error, about);
    }
  }

  get #httpClient(): HttpClient {
    return this.#session.httpClient;
  }

  get #clientOptions() {
    const { armEndpoint, armScope } = this.cloud;
    return {
      ...this.#pipelineOptions,
      endpoint: armEndpoint,
      credentialScopes: armScope,
      httpClient: this.#httpClient,
    };
  }

  get #pipelineOptions() {
    const { userAgent } = this.#options;
    return {
      retryOptions: { maxRetries: 0 },
      ...(userAgent === undefined ? {} : { userAgentOptions: { userAgentPrefix: userAgent } }),
    };
  }

  async #openPipeline(): Promise<Pipeline> {
    const { bearerTokenAuthenticationPolicy, createPipelineFromOptions } =
      await import('@azure/core-rest-pipeline');
    const pipeline = createPipelineFromOptions(this.#pipelineOptions);
    pipeline.addPolicy(
      bearerTokenAuthenticationPolicy({ credential: this.#credential, scopes: this.cloud.armScope }),
      { phase: 'Sign' },
    );
    return this.#withRetry({ pipeline }).pipeline;
  }

  #withRetry<T extends { readonly pipeline: Pipeline }>(client: T): T {
    const { report, clock, signal } = this;
    client.pipeline.removePolicy({ name: 'defaultRetryPolicy' });
    client.pipeline.addPolicy(retryPolicy({ report, clock, signal }, this.#options.retry), {
      phase: 'Retry',
    });
    return client;
  }

  #urlOf({ path, apiVersion }: ArmRequest): string {
    const { armEndpoint } = this.cloud;
    if (path.startsWith('/')) {
      return `${armEndpoint}${path}${path.includes('?') ? '&' : '?'}api-version=${apiVersion}`;
    }
    // The token goes with it, so only ARM itself may be asked.
    if (URL.canParse(path) && new URL(path).origin === new URL(armEndpoint).origin) return path;
    throw new HcmError(
      'HCM_AZURE_REJECTED',
      `Azure named an address that is not its own: ${path.slice(0, 80)}`,
    );
  }
}

function bodyOf<T>({ bodyAsText }: PipelineResponse, about: string): T {
  if (!bodyAsText) return undefined as T;
  try {
    return JSON.parse(bodyAsText) as T;
  } catch (error) {
    throw new HcmError('HCM_AZURE_UNAVAILABLE', `${about}: the answer is no JSON.`, { cause: error });
  }
}

/** All items of a list that comes in pages. */
export async function listAll<T>(azure: Azure, request: Omit<ArmRequest, 'method'>): Promise<T[]> {
  const items: T[] = [];
  for (let path: string | undefined | null = request.path; path;) {
    const { body }: ArmAnswer<Page<T>> = await azure.send({ ...request, method: 'GET', path });
    items.push(...(body?.value ?? []));
    path = body?.nextLink;
  }
  return items;
}

interface Page<T> {
  value?: T[];
  nextLink?: string | null;
}
