/** What the routes of App Service have alike: where they are, how bodies are read, and how answers look. */
import type { ArmAnswer, ArmRequest } from '../router.ts';

/** Of lists over a subscription. */
export const SUBSCRIPTION = '/subscriptions/{subscriptionId}/providers/Microsoft.Web';
export const GROUP = '/subscriptions/{subscriptionId}/resourceGroups/{resourceGroup}/providers/Microsoft.Web';

/** An app, and a slot of one: whatever can be asked of the one can be asked of the other. */
export const APP_PATTERNS = [`${GROUP}/sites/{site}`, `${GROUP}/sites/{site}/slots/{slot}`] as const;

/** App Service's own headers. [rec] */
export const WEB_HEADERS: Readonly<Record<string, string>> = {
  Server: 'Microsoft-IIS/10.0',
  'X-AspNet-Version': '4.0.30319',
  'X-Powered-By': 'ASP.NET',
};

/** Of a path that ends with `hybridConnectionNamespaces/{namespace}/relays/{relay}`. */
export function relayNamesOf({ params }: Pick<ArmRequest, 'params'>): { namespace: string; name: string } {
  return { namespace: params['namespace'] ?? '', name: params['relay'] ?? '' };
}

export function ok(body?: unknown, headers?: Readonly<Record<string, string>>): ArmAnswer {
  return { status: 200, ...(body !== undefined && { body }), ...(headers !== undefined && { headers }) };
}

/** App Service's lists: `id` is always null. [rec] */
export function listOf(value: readonly unknown[]): ArmAnswer {
  return ok({ value, nextLink: null, id: null });
}

/** Between 1601, where Windows begins to count, and 1970, in ms. */
const FILETIME_OFFSET_MS = 11_644_473_600_000;

/** App Service's etags are the time of the last change as Windows counts it, in 100 ns, in hex. */
export function etagOf(iso: string): Readonly<Record<string, string>> {
  const ticks = (BigInt(Date.parse(iso)) + BigInt(FILETIME_OFFSET_MS)) * 10_000n;
  return { etag: `"${ticks.toString(16).toUpperCase()}"` };
}
