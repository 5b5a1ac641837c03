/**
 * The manager's one web server, on loopback alone: health and metrics for programs, the page and its API for whoever
 * came with a code of `hcm dashboard`. Who may come is decided here; what is answered, elsewhere.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { HcmError, type ErrorCode } from '../../protocol/errors.ts';
import type { Clock } from '../../tunnel/clock.ts';
import { serveApi } from '../control/api.ts';
import type { DashboardInvitation, ManagerOperations } from '../control/operations.ts';
import type { Readiness } from '../readiness.ts';
import { ConnectionLimit } from './connection-limit.ts';
import { loadPageFile } from './page-files.ts';
import { PAGE_KEY_HEADER } from './page-key.ts';
import { refusalOf } from './request-guard.ts';
import {
  ENTRY_SCRIPT_PATH,
  sendEntry,
  sendEntryScript,
  sendPage,
  sendText,
  setSecurityHeaders,
} from './responses.ts';
import { Sessions, type Session } from './sessions.ts';

const HOST = '127.0.0.1';
/** A browser has some six connections to a server; followers, Prometheus and a few windows. */
const CONNECTIONS_MAX = 128;
/**
 * Our own page sends less than 2 KiB. But a browser adds the cookies of every server of 127.0.0.1, whatever its port: an
 * application behind a local port may well set eight of 4 KiB.
 */
const HEADERS_MAX_BYTES = 64 * 1024;
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000;
/** How often Node looks for those that are too slow. */
const CHECK_EVERY_MS = 5_000;

export interface WebServerOptions {
  /** 0: any free one. */
  port: number;
  /** The built page. */
  folder: string;
  operations: ManagerOperations;
  readiness: () => Readiness;
  metrics: () => Promise<{ readonly type: string; readonly text: string }>;
  clock: Clock;
}

/** @throws HcmError HCM_BIND_FAILED. */
export async function openWebServer(options: WebServerOptions): Promise<WebServer> {
  const server = createServer({
    maxHeaderSize: HEADERS_MAX_BYTES,
    headersTimeout: HEADERS_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    connectionsCheckingInterval: CHECK_EVERY_MS,
  });
  await listen(server, options.port);
  return new WebServer(server, options);
}

export class WebServer {
  readonly #server: Server;
  readonly #options: WebServerOptions;
  readonly #sessions: Sessions;
  readonly #limit: ConnectionLimit;
  readonly #port: number;

  constructor(server: Server, options: WebServerOptions) {
    this.#server = server;
    this.#options = options;
    this.#sessions = new Sessions(options.clock);
    this.#limit = new ConnectionLimit(server, CONNECTIONS_MAX);
    this.#port = (server.address() as AddressInfo).port;
    server.on('request', (request, response) => {
      this.#answer(request, response).catch(() => {
        if (response.headersSent) response.destroy();
        else sendText(response, 500, 'The manager could not answer this.\n');
      });
    });
  }

  get url(): string {
    return `http://${HOST}:${this.#port}`;
  }

  invite(): DashboardInvitation {
    const { code, expiresMs } = this.#sessions.invite();
    return { url: `${this.url}/?code=${code}`, expiresAt: new Date(expiresMs).toISOString() };
  }

  /** Cuts whoever is there. */
  close(): Promise<void> {
    this.#sessions.close();
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    setSecurityHeaders(response);
    const [path = '', query = ''] = (request.url ?? '').split('?', 2);
    const isApi = path.startsWith('/v1/');
    const code = new URLSearchParams(query).get('code');
    const isInvited = path === '/' && code !== null && request.method === 'GET';
    const refusal = refusalOf(request, this.#port, { isInvited });
    if (refusal !== undefined)
      return refuse(response, isApi, { status: 403, code: 'HCM_FORBIDDEN', text: refusal });
    if (isApi) return this.#api(request, response);
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('Allow', 'GET, HEAD');
      return sendText(response, 405, 'Only GET and HEAD.\n');
    }
    switch (path) {
      case '/healthz':
        return sendText(response, 200, 'ok\n');
      case '/readyz': {
        const readiness = this.#options.readiness();
        return sendText(response, readiness.ready ? 200 : 503, JSON.stringify(readiness), 'application/json');
      }
      case '/metrics': {
        const { type, text } = await this.#options.metrics();
        return sendText(response, 200, text, type);
      }
      case ENTRY_SCRIPT_PATH:
        return sendEntryScript(response);
      default:
        return isInvited ? this.#enter(response, code) : this.#page(request, response, path);
    }
  }

  async #api(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const pageKey = String(request.headers[PAGE_KEY_HEADER] ?? '');
    const session = this.#sessionsOf(request).find((one) => one.isKey(pageKey));
    if (session === undefined) {
      const text = 'You are not signed in here, or no longer.';
      return refuse(response, true, {
        ...{ status: 401, code: 'HCM_SIGN_IN_REQUIRED', text },
        next: 'hcm dashboard',
      });
    }
    this.#limit.keep(request.socket);
    // Followers stay until the session ends, at the latest.
    response.once(
      'close',
      session.onEnd(() => response.destroy()),
    );
    return serveApi(this.#options.operations, request, response, 'web');
  }

  async #page(request: IncomingMessage, response: ServerResponse, path: string): Promise<void> {
    if (this.#sessionsOf(request).length === 0) return sendPage(response, 403, 'signed-out');
    const file = await loadPageFile(this.#options.folder, path);
    if (file === undefined)
      return path === '/'
        ? sendPage(response, 503, 'not-built')
        : sendText(response, 404, 'There is no such page.\n');
    response.setHeader('ETag', file.etag);
    response.setHeader(
      'Cache-Control',
      file.isImmutable ? 'private, max-age=31536000, immutable' : 'no-cache',
    );
    if (request.headers['if-none-match'] === file.etag) return void response.writeHead(304).end();
    sendText(response, 200, file.content, file.type);
  }

  /** Swaps the code for both halves of a session. */
  #enter(response: ServerResponse, code: string): void {
    const entry = this.#sessions.redeem(code);
    if (entry === undefined) return sendPage(response, 403, 'code-over');
    const attributes = 'Path=/; HttpOnly; SameSite=Strict';
    response.setHeader('Set-Cookie', `${this.#cookie}=${entry.cookie}; ${attributes}`);
    sendEntry(response, entry.pageKey);
  }

  /** Cookies know no ports: two managers of one machine must not overwrite each other's. */
  get #cookie(): string {
    return `hcm-session-${this.#port}`;
  }

  /**
   * By cookie alone, which whoever was sent it has, too: good for the files of the page and for nothing else. A server of
   * another port can put a cookie of our name beside ours; it must not shut anybody out.
   */
  #sessionsOf({ headers }: IncomingMessage): Session[] {
    const prefix = `${this.#cookie}=`;
    const pairs = (headers.cookie ?? '').split('; ').filter((pair) => pair.startsWith(prefix));
    return pairs
      .map((pair) => this.#sessions.find(pair.slice(prefix.length)))
      .filter((session) => session !== undefined);
  }
}

function refuse(
  response: ServerResponse,
  isApi: boolean,
  { status, code, text, next }: { status: number; code: ErrorCode; text: string; next?: string },
): void {
  // Nobody reads what else it sends.
  response.setHeader('Connection', 'close');
  if (!isApi) return sendText(response, status, `${text}\n`);
  sendText(
    response,
    status,
    JSON.stringify({ error: { code, message: text, details: { next } } }),
    'application/json',
  );
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    // Stays: without it, an error of a later accept (no file descriptor left) would end the process.
    server.on('error', (error: NodeJS.ErrnoException) => {
      const cause = error.code ?? error.message;
      const why = cause === 'EADDRINUSE' ? 'another program has it' : cause;
      reject(
        new HcmError(
          'HCM_BIND_FAILED',
          `The manager cannot open its web server at ${HOST}:${port}: ${why}.`,
          {
            details: {
              bind: `${HOST}:${port}`,
              cause,
              next: '--http-port 0 takes any free port, --no-http none',
            },
          },
        ),
      );
    });
    server.listen({ host: HOST, port }, resolve);
  });
}
