/** The headers of every answer of Resource Manager, as recorded. */
import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

/** What a subscription has left after one request (recorded values: nothing is counted here). */
const REMAINING = { read: '11999', write: '1199', delete: '14999' } as const;
const GUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export function answerHeaders(
  method: string,
  asked: IncomingHttpHeaders,
  nowMs: number,
): Record<string, string> {
  const requestId = randomUUID();
  const correlation = first(asked['x-ms-correlation-request-id']);
  const correlationId = correlation !== undefined && GUID.test(correlation) ? correlation : requestId;
  const clientId = first(asked['x-ms-client-request-id']);
  const wantsClientId = first(asked['x-ms-return-client-request-id'])?.toLowerCase() === 'true';
  const at = new Date(nowMs).toISOString().replace(/[-:]|\.\d+/g, '');
  return {
    'Cache-Control': 'no-cache',
    Pragma: 'no-cache',
    Expires: '-1',
    'Strict-Transport-Security': 'max-age=31536000; includeSubDomains',
    'X-Content-Type-Options': 'nosniff',
    Vary: 'Accept-Encoding',
    'x-ms-request-id': requestId,
    'x-ms-correlation-request-id': correlationId,
    'x-ms-routing-request-id': `LOCAL:${at}:${randomUUID()}`,
    ...(clientId !== undefined && wantsClientId && { 'x-ms-client-request-id': clientId }),
    ...remaining(method),
  };
}

function remaining(method: string): Record<string, string> {
  if (method === 'DELETE') return { 'x-ms-ratelimit-remaining-subscription-deletes': REMAINING.delete };
  return method === 'GET' || method === 'HEAD'
    ? { 'x-ms-ratelimit-remaining-subscription-reads': REMAINING.read }
    : { 'x-ms-ratelimit-remaining-subscription-writes': REMAINING.write };
}

function first(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}
