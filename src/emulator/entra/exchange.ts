/** One request to the token endpoint and its answer, read and written the way all of its parts need. */
import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { isLoopbackName, urlHost } from '../../protocol/relay-hosts.ts';
import { readBody } from '../server/http-body.ts';
import type { HttpRequest } from '../server/http-request.ts';
import { AadstsError } from './aadsts.ts';

/** No form is longer: a client assertion and a refresh token are some kilobytes. */
const FORM_MAX_BYTES = 256 * 1_024;

export interface EntraRequest {
  /** Upper-case. */
  readonly method: string;
  /** Segments of the path, decoded. */
  readonly segments: readonly string[];
  readonly query: URLSearchParams;
  /** The body of a POST. */
  readonly form: URLSearchParams;
  readonly header: (name: string) => string | undefined;
  /** `https://localhost:N`, as the client addressed it. */
  readonly baseUrl: string;
  /** The port of `baseUrl`. */
  readonly port: number;
  /** The client runs on this machine. */
  readonly isLocal: boolean;
  readonly correlationId: string;
}

export interface EntraAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** An object is sent as JSON, text as a page. */
  readonly body?: object | string;
}

export async function readEntraRequest(request: HttpRequest): Promise<EntraRequest> {
  const { message, asked, path } = request;
  const scheme = 'encrypted' in message.socket ? 'https' : 'http';
  const target = message.url ?? '/';
  const mark = target.indexOf('?');
  const text = message.method === 'POST' ? (await readBody(message, FORM_MAX_BYTES)).toString() : '';
  return {
    method: (message.method ?? 'GET').toUpperCase(),
    segments: path.split('/').filter((segment) => segment !== ''),
    query: new URLSearchParams(mark < 0 ? '' : target.slice(mark + 1)),
    form: new URLSearchParams(text),
    header: (name) => request.header(name),
    baseUrl: `${scheme}://${urlHost(asked.host)}:${asked.port}`,
    port: asked.port,
    isLocal: isOfThisMachine(request),
    correlationId: correlationIdOf(request.header('client-request-id')),
  };
}

/** A parameter that must be there. @throws AadstsError 900144 */
export function need(parameters: URLSearchParams, name: string): string {
  const value = parameters.get(name);
  if (value === null || value === '') throw new AadstsError(900144, name);
  return value;
}

export function sendAnswer(
  response: ServerResponse,
  request: EntraRequest,
  { status, headers, body = '' }: EntraAnswer,
): void {
  if (response.destroyed) return;
  const isPage = typeof body === 'string';
  const text = isPage ? body : JSON.stringify(body);
  response.writeHead(status, {
    'Content-Type': isPage ? 'text/html; charset=utf-8' : 'application/json; charset=utf-8',
    'Content-Length': String(Buffer.byteLength(text)),
    ...{ 'Cache-Control': 'no-store, no-cache', Pragma: 'no-cache' },
    ...{ 'X-Content-Type-Options': 'nosniff', 'Referrer-Policy': 'no-referrer' },
    ...{ 'x-ms-request-id': randomUUID(), 'client-request-id': request.correlationId },
    ...headers,
  });
  response.end(request.method === 'HEAD' ? undefined : text);
}

/** A proxy of this machine does not make its clients local. */
function isOfThisMachine(request: HttpRequest): boolean {
  const address = (request.message.socket.remoteAddress ?? '').replace(/^::ffff:/i, '');
  const isPassedOn =
    request.header('X-Forwarded-For') !== undefined || request.header('Forwarded') !== undefined;
  return isLoopbackName(address) && !isPassedOn;
}

/** The client's own id, if it looks like one: it comes back in headers and texts. */
function correlationIdOf(header: string | undefined): string {
  return header !== undefined && /^[0-9a-f-]{36}$/i.test(header) ? header : randomUUID();
}
