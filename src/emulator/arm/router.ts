/**
 * Routes of Azure Resource Manager: a method and a pattern of path segments, compared without case as ARM does.
 * What a provider hands in, and which route a request means; what happens with it is dispatch.ts's business.
 */
import type { IncomingHttpHeaders } from 'node:http';
import type { Caller } from '../entra/verify.ts';

export interface ArmRequest {
  /** Upper-case. */
  readonly method: string;
  readonly url: URL;
  /** What stands at the `{name}`s of the pattern, decoded: `{ns}` may hold a slash that came as `%2F`. */
  readonly params: Readonly<Record<string, string>>;
  /** Lower-case, as `2017-04-01`. */
  readonly apiVersion: string;
  /** The parsed JSON; undefined without a body. */
  readonly body: unknown;
  readonly headers: IncomingHttpHeaders;
  readonly caller: Caller;
  /** `https://localhost:N`, as the client addressed it. */
  readonly baseUrl: string;
}

export interface ArmAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON; text as it stands (then `headers` has its Content-Type). Undefined: no body. */
  readonly body?: unknown;
}

export interface ArmRoute {
  readonly method: string;
  /** `/subscriptions/{subscriptionId}/…`: a `{name}` is one segment. */
  readonly pattern: string;
  handle(request: ArmRequest): ArmAnswer | Promise<ArmAnswer>;
}

export interface ArmResourceType {
  readonly apiVersions: readonly string[];
  /** As `West Europe`. Empty: the type is nowhere in particular. */
  readonly locations: readonly string[];
}

export interface ArmProvider {
  /** `Microsoft.Relay` */
  readonly namespace: string;
  /** `free`: subscriptions need not register it. */
  readonly registration?: 'free';
  /** By name, as `namespaces/hybridConnections`. What is asked of other types is refused before any route is tried. */
  readonly types: Readonly<Record<string, ArmResourceType>>;
  readonly routes: readonly ArmRoute[];
}

export interface RouteMatch {
  readonly route: ArmRoute;
  readonly params: Readonly<Record<string, string>>;
}

export class Router {
  readonly #routes: { route: ArmRoute; segments: readonly string[] }[];

  constructor(routes: readonly ArmRoute[]) {
    this.#routes = routes.map((route) => ({ route, segments: segmentsOf(route.pattern) }));
  }

  /** The first route that fits. HEAD is served by GET where it has no route of its own. */
  match(method: string, segments: readonly string[]): RouteMatch | undefined {
    return this.#find(method, segments) ?? (method === 'HEAD' ? this.#find('GET', segments) : undefined);
  }

  /** The methods that this path takes; empty when no route has it. */
  methodsAt(segments: readonly string[]): string[] {
    const fitting = this.#routes.filter((candidate) => paramsOf(candidate.segments, segments) !== undefined);
    return [...new Set(fitting.map(({ route }) => route.method))];
  }

  #find(method: string, segments: readonly string[]): RouteMatch | undefined {
    for (const { route, segments: pattern } of this.#routes) {
      const params = route.method === method ? paramsOf(pattern, segments) : undefined;
      if (params !== undefined) return { route, params };
    }
    return undefined;
  }
}

/** The segments of a path as it was sent, each decoded; empty ones (`//`) do not count. */
export function segmentsOf(path: string): string[] {
  return path
    .split('/')
    .filter((segment) => segment !== '')
    .map(decode);
}

function paramsOf(
  pattern: readonly string[],
  segments: readonly string[],
): Readonly<Record<string, string>> | undefined {
  if (pattern.length !== segments.length) return undefined;
  const params: Record<string, string> = {};
  for (const [at, wanted] of pattern.entries()) {
    const segment = segments[at] ?? '';
    if (wanted.startsWith('{')) params[wanted.slice(1, -1)] = segment;
    else if (wanted.toLowerCase() !== segment.toLowerCase()) return undefined;
  }
  return params;
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
