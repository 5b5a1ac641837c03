/**
 * What happens to a request before its route serves it, in ARM's order: api-version, token, faults, subscription,
 * provider and type, registration, rights, resource group, body. Each refusal is ARM's own.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { BearerError, createVerifyBearer, type Caller, type VerifyBearer } from '../entra/verify.ts';
import type { ArmRefusal } from '../arm-faults.ts';
import { findByName } from '../state.ts';
import { armAudiences } from './audiences.ts';
import {
  ArmError,
  GATEWAY,
  invalidRequestContent,
  resourceGroupNotFound,
  subscriptionNotFound,
} from './arm-error.ts';
import { actionOf, isWrite, type ArmPath } from './arm-path.ts';
import { mayAsk, visiblePart } from './rights.ts';
import type { ArmContext } from './context.ts';
import { metadataAnswer } from './metadata.ts';
import { pageOf } from './paging.ts';
import { checkNotDeleted } from './resources/resource-groups.ts';
import { createProviders, findProvider, type Providers } from './providers.ts';
import type { ArmAnswer, ArmProvider, ArmRequest, RouteMatch } from './router.ts';
import { checkTypeAndVersion, checkVersion } from './versions.ts';

/** A request that nothing was checked of. */
export interface RawRequest {
  readonly method: string;
  readonly url: URL;
  readonly path: ArmPath;
  readonly baseUrl: string;
  readonly headers: IncomingHttpHeaders;
  /** The body as it came. */
  readonly text: string;
}

/** Registration is neither needed nor possible for these. */
const ALWAYS_REGISTERED = ['Microsoft.Authorization', 'Microsoft.Resources'];
const GUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export class Dispatcher {
  readonly #context: ArmContext;
  readonly #providers: Providers;
  readonly #verify: VerifyBearer;

  constructor(context: ArmContext) {
    this.#context = context;
    this.#providers = createProviders(context);
    const nowMs = () => context.nowMs() + context.faults.clockOffsetMs;
    this.#verify = createVerifyBearer({ state: context.state, faults: context.faults, nowMs });
  }

  /** @throws ArmError */
  async answer(raw: RawRequest): Promise<ArmAnswer> {
    const { method, url, path, baseUrl } = raw;
    const apiVersion = versionOf(url);
    if (path.segments[0]?.toLowerCase() === 'metadata')
      return metadataAnswer(this.#context.state, baseUrl, apiVersion);
    const caller = await this.#callerOf(raw);
    const refusal = this.#context.faults.arm.takeRefusal(method, url.pathname);
    if (refusal !== undefined) return refusalAnswer(refusal, method, path);
    this.#providers.settle();
    this.#checkSubscription(path);
    const { route, params } = this.#route(raw, apiVersion);
    this.#checkRights(caller, method, path);
    this.#checkGroup(method, path);
    const { headers, text } = raw;
    const body = parseBody(method, headers, text);
    const request: ArmRequest = { method, url, params, apiVersion, body, headers, caller, baseUrl };
    const answer = await route.handle(request);
    return method === 'GET' ? this.#page(visiblePart(answer, caller, path), request) : answer;
  }

  async #callerOf({ headers, baseUrl }: RawRequest): Promise<Caller> {
    try {
      return await this.#verify(headers.authorization, armAudiences(baseUrl, this.#context.port()));
    } catch (error) {
      if (!(error instanceof BearerError)) throw error;
      const { code, message, challenge } = error;
      throw new ArmError(401, code, message, { headers: { ...GATEWAY, 'WWW-Authenticate': challenge } });
    }
  }

  #checkSubscription({ subscriptionId, segments }: ArmPath): void {
    if (subscriptionId === undefined || segments.length < 2) return;
    if (!GUID.test(subscriptionId)) {
      const message = `The provided subscription identifier '${subscriptionId}' is malformed or invalid.`;
      throw new ArmError(400, 'InvalidSubscriptionId', message, { headers: GATEWAY });
    }
    const wanted = subscriptionId.toLowerCase();
    const known = this.#context.state.subscriptions.some(
      (one) => one.subscriptionId.toLowerCase() === wanted,
    );
    if (!known) throw subscriptionNotFound(subscriptionId);
  }

  /** Core routes first: `…/providers/Microsoft.Relay/register` is no resource of Microsoft.Relay. */
  #route(raw: RawRequest, apiVersion: string): RouteMatch {
    const { method, path, url, text } = raw;
    const { segments, namespace, subscriptionId } = path;
    const core = this.#providers.core.match(method, segments);
    if (core !== undefined) {
      checkVersion(apiVersion);
      return core;
    }
    const provider = namespace === undefined ? undefined : findProvider(this.#providers, namespace);
    if (namespace !== undefined && provider === undefined) {
      const message = `The resource namespace '${namespace}' is invalid.`;
      throw new ArmError(404, 'InvalidResourceNamespace', message, { headers: GATEWAY });
    }
    const router = provider?.router ?? this.#providers.core;
    if (provider !== undefined) {
      checkTypeAndVersion(provider.provider, path, apiVersion, () => this.#locationOf(path, text));
      if (subscriptionId !== undefined) this.#checkRegistered(subscriptionId, provider.provider);
    }
    const match = router.match(method, segments);
    if (match !== undefined) return match;
    const methods = router.methodsAt(segments);
    if (methods.length > 0) {
      const message = `The requested resource does not support http method '${method}'.`;
      throw new ArmError(405, 'MethodNotAllowed', message, { headers: { Allow: methods.join(', ') } });
    }
    const message = `The request url '${url.href}' is invalid.`;
    throw new ArmError(404, 'HttpResourceNotFound', message, { headers: GATEWAY });
  }

  #checkRegistered(subscriptionId: string, { namespace, registration }: ArmProvider): void {
    if (registration === 'free') return;
    const wanted = subscriptionId.toLowerCase();
    const subscription = this.#context.state.subscriptions.find(
      (one) => one.subscriptionId.toLowerCase() === wanted,
    );
    const registered = [...ALWAYS_REGISTERED, ...(subscription?.registeredProviders ?? [])];
    const isRegistered = registered.some((name) => name.toLowerCase() === namespace.toLowerCase());
    if (isRegistered) return;
    const message = `The subscription is not registered to use namespace '${namespace}'. See https://aka.ms/rps-not-found for how to register subscriptions.`;
    const detail = { code: 'MissingSubscriptionRegistration', target: namespace, message };
    throw new ArmError(409, 'MissingSubscriptionRegistration', message, {
      headers: GATEWAY,
      details: [detail],
    });
  }

  /** Everything in a group needs the group; the group itself is its own route's business. */
  #checkGroup(method: string, { subscriptionId = '', resourceGroup, segments }: ArmPath): void {
    if (resourceGroup === undefined || segments.length <= 4) return;
    const groups = this.#context.state.resourceGroups.filter(
      (group) => group.subscriptionId.toLowerCase() === subscriptionId.toLowerCase(),
    );
    const group = findByName(groups, resourceGroup);
    if (group === undefined) throw resourceGroupNotFound(resourceGroup);
    if (method === 'PUT') checkNotDeleted(group);
  }

  #checkRights(caller: Caller, method: string, path: ArmPath): void {
    if (path.subscriptionId === undefined || mayAsk(caller, method, path)) return;
    const { name, objectId } = caller;
    const message = `The client '${name}' with object id '${objectId}' does not have authorization to perform action '${actionOf(method, path)}' over scope '${path.scope}' or the scope is invalid. If access was recently granted, please refresh your credentials.`;
    throw new ArmError(403, 'AuthorizationFailed', message, { headers: GATEWAY });
  }

  #page(answer: ArmAnswer, { url }: ArmRequest): ArmAnswer {
    return pageOf(answer, url, this.#context.behaviour.armPageSize);
  }

  #locationOf({ resourceGroup, names }: ArmPath, text: string): string | undefined {
    if (names.length === 0) return undefined;
    const asked = /"location"\s*:\s*"([^"]*)"/.exec(text)?.[1];
    return asked ?? findByName(this.#context.state.resourceGroups, resourceGroup ?? '')?.location;
  }
}

function versionOf(url: URL): string {
  for (const [name, value] of url.searchParams) {
    if (name.toLowerCase() === 'api-version' && value !== '') return value.toLowerCase();
  }
  throw new ArmError(
    ...([400, 'MissingApiVersionParameter'] as const),
    'The api-version query parameter (?api-version=) is required for all requests.',
    { headers: GATEWAY },
  );
}

function parseBody(method: string, headers: IncomingHttpHeaders, text: string): unknown {
  if (method === 'GET' || method === 'HEAD' || text.trim() === '') {
    if (method === 'PUT' || method === 'PATCH') throw invalidRequestContent('The request body is missing.');
    return undefined;
  }
  const type = headers['content-type'] ?? 'application/json';
  if (!/^(?:application|text)\/(?:[\w.-]+\+)?json\b/i.test(type.trim())) {
    const message = `The content media type '${type}' is not supported. Only 'application/json' is supported.`;
    throw new ArmError(415, 'UnsupportedMediaType', message, { headers: GATEWAY });
  }
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch (error) {
    throw invalidRequestContent((error as Error).message);
  }
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body;
  throw invalidRequestContent('The request body is no JSON object.');
}

const THROTTLED = 'SubscriptionRequestsThrottled';
const FAULT_CODES: Readonly<Record<number, string>> = {
  429: THROTTLED,
  500: 'InternalServerError',
  503: 'ServerTimeout',
  504: 'GatewayTimeout',
};

function refusalAnswer(refusal: ArmRefusal, method: string, path: ArmPath): ArmAnswer {
  const { status, retryAfterS, html } = refusal;
  const headers = retryAfterS === undefined ? {} : { 'Retry-After': String(retryAfterS) };
  if (html !== undefined) return { status, headers: { ...headers, 'Content-Type': 'text/html' }, body: html };
  const code = refusal.code ?? FAULT_CODES[status] ?? 'BadRequest';
  const kind = isWrite(method, path) ? 'write' : 'read';
  const message =
    refusal.message ??
    (code === THROTTLED
      ? `Number of '${kind}' requests for subscription '${path.subscriptionId ?? ''}' exceeded. Please try again after '${retryAfterS ?? 1}' seconds after additional tokens are available. Refer to https://aka.ms/arm-throttling for additional information.`
      : `A fault of the emulator: ${code}.`);
  return { status, headers, body: { error: { code, message } } };
}
