/**
 * The control API over HTTP: routes, bodies, errors. Who may call it is the business of whoever hosts it: the control
 * socket by the rights of its file, the web page by its cookie and its key.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { HcmError, type ErrorCode } from '../../protocol/errors.ts';
import {
  API_VERSION,
  VERSION_HEADER,
  type AddRequest,
  type KnownResults,
  type ManagerOperations,
} from './operations.ts';

/** Nobody adds more than a few kilobytes. */
const BODY_MAX_BYTES = 1024 * 1024;
const LOG_LINES = 200;
const LOG_LINES_MAX = 10_000;
/** More than this waiting for a follower that does not read, and it is cut. */
const FOLLOWER_MAX_BYTES = 4 * 1024 * 1024;

interface Call {
  readonly parts: readonly string[];
  readonly query: URLSearchParams;
  body(): Promise<unknown>;
}

type Handler = (operations: ManagerOperations, call: Call) => unknown;

/** Through which door a call comes: what lets somebody in at the web page is given out on the socket alone. */
export type ApiDoor = 'socket' | 'web';

/** `*` is one segment of the path, decoded. */
const ROUTES: readonly (readonly [method: string, path: string, handler: Handler])[] = [
  ['GET', 'manager', (operations) => operations.describe()],
  ['GET', 'connections', (operations, { query }) => operations.list(query.get('details') ?? undefined)],
  ['POST', 'connections', async (operations, call) => operations.add(addRequest(await call.body()))],
  ['POST', 'target', async (operations, call) => operations.namedTarget(addRequest(await call.body()))],
  ['GET', 'connections/*', (operations, { parts: [, id = ''] }) => operations.show(id)],
  ['DELETE', 'connections/*', (operations, { parts: [, id = ''] }) => operations.remove(id)],
  [
    'POST',
    'connections/*/restart',
    async (operations, call) => {
      const { acceptTarget } = (await call.body()) as { acceptTarget?: unknown };
      if (acceptTarget !== undefined && typeof acceptTarget !== 'string')
        throw new HcmError('HCM_USAGE', 'acceptTarget is no target: it is a text such as db:5432.');
      return operations.restart(call.parts[1] ?? '', { acceptTarget });
    },
  ],
  [
    'POST',
    'connections/*/test',
    async (operations, call) => operations.test(call.parts[1] ?? '', knownResults(await call.body())),
  ],
  ['POST', 'test', async (operations, call) => operations.testEndpoint(endpointOf(await call.body()))],
  ['POST', 'reload', (operations) => operations.reload()],
  ['GET', 'samples', (operations, { query }) => operations.samples(sinceTime(query.get('since')))],
  ['GET', 'logs', (operations, { query }) => operations.logs(lineCount(query.get('lines')))],
];

const SOCKET_ROUTES: typeof ROUTES = [
  ...ROUTES,
  ['POST', 'dashboard', (operations) => operations.dashboard()],
  ['GET', 'export', (operations) => operations.export()],
];

/** Answers one request under `/v1/`. Never rejects. */
export async function serveApi(
  operations: ManagerOperations,
  request: IncomingMessage,
  response: ServerResponse,
  door: ApiDoor = 'socket',
): Promise<void> {
  try {
    const url = parseUrl(request.url ?? '/');
    const [version, ...parts] = url.pathname.split('/').filter(Boolean).map(decodeURIComponentSafely);
    if (version !== `v${API_VERSION}`) throw notFound(`There is no ${url.pathname}; the API is at /v1/.`);
    if (request.method === 'GET' && parts.join('/') === 'events') return follow(operations, response);
    const routes = door === 'socket' ? SOCKET_ROUTES : ROUTES;
    const handler = route(routes, request.method ?? 'GET', parts);
    const call: Call = { parts, query: url.searchParams, body: () => readBody(request) };
    sendJson(response, 200, (await handler(operations, call)) ?? {});
  } catch (error) {
    sendError(response, error);
  }
}

function route(routes: typeof ROUTES, method: string, parts: readonly string[]): Handler {
  const found = routes.filter(([, path]) => matches(path.split('/'), parts));
  const handler = found.find(([wanted]) => wanted === method)?.[2];
  if (handler) return handler;
  if (found.length === 0) throw notFound(`There is no /${parts.join('/')}.`);
  throw new HcmError('HCM_USAGE', `${method} is not possible here.`);
}

function matches(wanted: readonly string[], parts: readonly string[]): boolean {
  return wanted.length === parts.length && wanted.every((name, at) => name === '*' || name === parts[at]);
}

/** One JSON object a line, the newest state of all connections first, until the caller leaves. */
function follow(operations: ManagerOperations, response: ServerResponse): void {
  response.writeHead(200, {
    'Content-Type': 'application/x-ndjson',
    'Cache-Control': 'no-store',
    [VERSION_HEADER]: API_VERSION,
  });
  const write = (line: object) => {
    if (response.writableLength > FOLLOWER_MAX_BYTES) response.destroy();
    else response.write(`${JSON.stringify(line)}\n`);
  };
  write({ event: 'snapshot', manager: operations.describe(), connections: operations.list() });
  response.on('close', operations.subscribe(write));
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += (chunk as Buffer).length;
    // Read to its end: whoever leaves in the middle cuts the connection, and the answer with it.
    if (bytes <= BODY_MAX_BYTES) chunks.push(chunk as Buffer);
  }
  if (bytes > BODY_MAX_BYTES) throw new HcmError('HCM_USAGE', 'The request is too large.');
  try {
    const value = JSON.parse(Buffer.concat(chunks).toString() || '{}') as unknown;
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  } catch {
    // Told below.
  }
  throw new HcmError('HCM_USAGE', 'The request is no JSON object.');
}

function addRequest(body: unknown): AddRequest {
  const { role, connection, entry = {}, ...texts } = body as Record<keyof AddRequest, unknown>;
  if (role !== 'listener' && role !== 'forward') throw wrongField('role', 'listener or forward');
  if (typeof connection !== 'string') throw wrongField('connection', 'a text');
  const { connectionString, pinnedTarget } = texts;
  if (!isTextOrNothing(connectionString)) throw wrongField('connectionString', 'a text');
  if (!isTextOrNothing(pinnedTarget)) throw wrongField('pinnedTarget', 'a text');
  if (typeof entry !== 'object' || entry === null || Array.isArray(entry))
    throw wrongField('entry', 'an object');
  return { role, connection, connectionString, pinnedTarget, entry: entry as AddRequest['entry'] };
}

/** What makes no sense is no result of a proof, and the proof is made. */
function knownResults(body: unknown): KnownResults {
  const { known } = body as { known?: unknown };
  return typeof known === 'object' && known !== null ? known : {};
}

function endpointOf(body: unknown): string {
  const { endpoint } = body as { endpoint?: unknown };
  if (typeof endpoint !== 'string') throw wrongField('endpoint', 'a text');
  return endpoint;
}

function isTextOrNothing(value: unknown): value is string | undefined {
  return value === undefined || typeof value === 'string';
}

function wrongField(name: string, wanted: string): HcmError {
  return new HcmError('HCM_USAGE', `The field "${name}" of the request is not ${wanted}.`);
}

function lineCount(text: string | null): number {
  const count = Number(text ?? LOG_LINES);
  if (Number.isInteger(count) && count >= 0) return Math.min(count, LOG_LINES_MAX);
  throw new HcmError('HCM_USAGE', 'The number of lines is not a number.');
}

function sinceTime(text: string | null): string | undefined {
  if (text === null || !Number.isNaN(Date.parse(text))) return text ?? undefined;
  throw new HcmError('HCM_USAGE', 'The time of "since" is no ISO 8601 time.');
}

function parseUrl(text: string): URL {
  if (URL.canParse(text, 'http://manager')) return new URL(text, 'http://manager');
  throw new HcmError('HCM_USAGE', 'The address of the request makes no sense.');
}

const STATUS: Partial<Record<ErrorCode, number>> = {
  HCM_RESOURCE_NOT_FOUND: 404,
  HCM_RESOURCE_CONFLICT: 409,
  HCM_STATE_UNWRITABLE: 507,
  HCM_UNEXPECTED: 500,
};
const STATUS_OTHER = 400;

function sendError(response: ServerResponse, error: unknown): void {
  const known = error instanceof HcmError ? error : new HcmError('HCM_UNEXPECTED', String(error));
  const { code, message, details } = known;
  if (response.headersSent) return void response.destroy();
  sendJson(response, STATUS[code] ?? STATUS_OTHER, { error: { code, message, details } });
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': Buffer.byteLength(text),
    'Cache-Control': 'no-store',
    [VERSION_HEADER]: API_VERSION,
  });
  response.end(text);
}

function notFound(message: string): HcmError {
  return new HcmError('HCM_RESOURCE_NOT_FOUND', message);
}

function decodeURIComponentSafely(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
