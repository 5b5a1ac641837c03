// One HTTP request and what came back, by node:http or by curl. It keeps what the wire said (raw headers, phrase, whether
// the body was whole), and judges nothing.
import { createHash } from 'node:crypto';
import * as http from 'node:http';
import * as https from 'node:https';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { tryCommand } from '../servers/run-command.ts';
import { patternOf } from './pattern.ts';

const SLOW_PIECES = 5;
/** Between the pieces of a slow body. */
const PACE_MS = 30;

export interface Body {
  readonly bytes: number;
  /** With a length, chunked, or chunked in pieces with pauses. */
  readonly framing: 'length' | 'chunked' | 'slow';
}

export interface HttpRequest {
  readonly method: string;
  /** Path and query, below the server's prefix. */
  readonly path: string;
  /** A list: several lines of one name. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: Body | Buffer;
  /** The client goes away: when half of the request's body, or the first piece of the answer's, is through. */
  readonly abort?: 'sending' | 'receiving';
}

export interface HttpServer {
  /** `http://HOST:PORT` or `https://HOST:PORT`. */
  readonly origin: string;
  /** Before each path, without a slash at its end. */
  readonly prefix?: string;
  readonly caFile?: string;
  readonly ca?: string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Answer {
  readonly status: number;
  readonly phrase: string;
  /** As they came, in order; names in lower case. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly bytes: number;
  readonly sha256: string;
  /** `whole`, or how it ended before: `cut` by the server, `aborted` by us. */
  readonly end: 'whole' | 'cut' | 'aborted';
  readonly body: Buffer;
}

/** All values of a header, several lines joined as HTTP allows. */
export function headerOf(answer: Answer, name: string): string | undefined {
  const values = answer.headers.filter(([candidate]) => candidate === name).map(([, value]) => value);
  return values.length === 0 ? undefined : values.join(', ');
}

export interface ClientOptions {
  readonly maxSockets?: number;
  /** A server may close a connection that it said it would keep (nginx does after 412): then ask again on another one. */
  readonly asksAgain?: boolean;
}

/** Requests by node:http over kept connections. `close` when done. */
export class NodeClient {
  readonly #server: HttpServer;
  readonly #agent: http.Agent;
  readonly #asksAgain: boolean;

  constructor(server: HttpServer, { maxSockets = 16, asksAgain = false }: ClientOptions = {}) {
    this.#server = server;
    this.#asksAgain = asksAgain;
    const isSecure = server.origin.startsWith('https:');
    this.#agent = isSecure
      ? new https.Agent({ keepAlive: true, maxSockets, ...(server.ca ? { ca: server.ca } : {}) })
      : new http.Agent({ keepAlive: true, maxSockets });
  }

  /** Rejects when there was no answer at all, unless we went away ourselves. */
  async send(wanted: HttpRequest): Promise<Answer> {
    for (;;) {
      const request = this.#start(wanted);
      try {
        return await exchange(request, wanted);
      } catch (error) {
        if (!this.#asksAgain || !request.reusedSocket) throw error;
      }
    }
  }

  #start(wanted: HttpRequest): http.ClientRequest {
    const { origin, prefix = '', headers } = this.#server;
    const { request: start } = origin.startsWith('https:') ? https : http;
    const { hostname, port } = new URL(origin);
    const path = prefix + wanted.path;
    const request = start({ hostname, port, method: wanted.method, path, agent: this.#agent });
    for (const [name, value] of Object.entries({ ...headers, ...wanted.headers })) {
      request.setHeader(name, value);
    }
    request.on('error', () => {}); // heard through `once` while we wait; later it is the response's business
    return request;
  }

  close(): void {
    this.#agent.destroy();
  }
}

async function exchange(request: http.ClientRequest, wanted: HttpRequest): Promise<Answer> {
  const answered = once(request, 'response') as Promise<[http.IncomingMessage]>;
  answered.catch(() => {});
  await sendBody(request, wanted);
  if (wanted.abort === 'sending') {
    request.destroy();
    await answered.catch(() => {});
    return NO_ANSWER;
  }
  const [response] = await answered;
  return read(response, wanted.abort === 'receiving');
}

const NO_ANSWER: Answer = {
  status: 0,
  phrase: '',
  headers: [],
  bytes: 0,
  sha256: '',
  end: 'aborted',
  body: Buffer.alloc(0),
};

async function sendBody(request: http.ClientRequest, { body, abort }: HttpRequest): Promise<void> {
  if (body === undefined) {
    request.end();
    return;
  }
  const [data, framing] = Buffer.isBuffer(body)
    ? [body, 'length' as const]
    : [patternOf(body.bytes), body.framing];
  if (framing === 'length') request.setHeader('Content-Length', data.length);
  else request.setHeader('Transfer-Encoding', 'chunked');
  if (abort === 'sending') {
    await write(request, data.subarray(0, data.length >> 1));
    return;
  }
  if (request.getHeader('expect') !== undefined) {
    request.flushHeaders();
    await once(request, 'continue');
  }
  if (framing === 'slow') {
    const size = Math.ceil(data.length / SLOW_PIECES);
    for (let at = 0; at < data.length; at += size) {
      await write(request, data.subarray(at, at + size));
      await pause(PACE_MS);
    }
    request.end();
  } else request.end(data);
}

/** Resolves when the bytes are with the system, or can no longer get there. */
function write(request: http.ClientRequest, data: Buffer): Promise<void> {
  return new Promise((resolve) => request.write(data, () => resolve()));
}

async function read(response: http.IncomingMessage, abort: boolean): Promise<Answer> {
  const chunks: Buffer[] = [];
  let end: Answer['end'] = 'cut';
  try {
    for await (const chunk of response) {
      chunks.push(chunk as Buffer);
      if (abort) break; // leaving the loop destroys the response
    }
    if (abort) end = 'aborted';
    else if (response.complete) end = 'whole';
  } catch {
    end = 'cut';
  }
  const body = Buffer.concat(chunks);
  const headers: [string, string][] = [];
  for (let at = 0; at < response.rawHeaders.length; at += 2) {
    headers.push([response.rawHeaders[at]?.toLowerCase() ?? '', response.rawHeaders[at + 1] ?? '']);
  }
  return {
    status: response.statusCode ?? 0,
    phrase: response.statusMessage ?? '',
    headers,
    bytes: body.length,
    sha256: hashOf(body),
    end,
    body,
  };
}

/** The same by curl. Its user agent and Accept are its own. */
export async function sendByCurl(server: HttpServer, wanted: HttpRequest): Promise<Answer> {
  const { method, path, body } = wanted;
  const args = ['--silent', '--show-error', '--http1.1', '--include', '--max-time', '100', '--path-as-is'];
  if (server.caFile !== undefined) args.push('--cacert', server.caFile);
  if (method === 'HEAD') args.push('--head');
  else args.push('--request', method);
  for (const [name, value] of Object.entries({ ...server.headers, ...wanted.headers })) {
    // curl's way to send a header without a value
    for (const one of [value].flat()) args.push('--header', one === '' ? `${name};` : `${name}: ${one}`);
  }
  let input: Buffer | undefined;
  if (body !== undefined) {
    input = Buffer.isBuffer(body) ? body : patternOf(body.bytes);
    if (!Buffer.isBuffer(body) && body.framing !== 'length') args.push('--upload-file', '-');
    else args.push('--header', 'Content-Type: application/octet-stream', '--data-binary', '@-');
  }
  const url = `${server.origin}${server.prefix ?? ''}${path}`;
  const { status, stdout, stderr } = await tryCommand('curl', [...args, url], input ? { input } : {});
  // 18: the transfer ended before the whole body came
  if (status !== 0 && status !== 18) throw new Error(`curl ended with ${String(status)}: ${stderr}`);
  return parseCurl(stdout, status === 0);
}

function parseCurl(stdout: string, isWhole: boolean): Answer {
  let rest = stdout;
  let head: string;
  do {
    const split = rest.indexOf('\r\n\r\n');
    head = rest.slice(0, split);
    rest = rest.slice(split + 4);
  } while (/^HTTP\/1\.1 1\d\d/.test(head));
  const [first = '', ...lines] = head.split('\r\n');
  const [, status, phrase] = /^HTTP\/1\.1 (\d+) ?(.*)$/.exec(first) ?? [];
  const body = Buffer.from(rest);
  return {
    status: Number(status),
    phrase: phrase ?? '',
    headers: lines.map((line): [string, string] => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }),
    bytes: body.length,
    sha256: hashOf(body),
    end: isWhole ? 'whole' : 'cut',
    body,
  };
}

function hashOf(body: Buffer): string {
  return createHash('sha256').update(body).digest('hex');
}
