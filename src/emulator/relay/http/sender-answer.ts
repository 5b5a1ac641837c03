/**
 * A listener's answer as its sender gets it: head, framing, body. Whether it is one, and when its time is over, others
 * decide.
 */
import { STATUS_CODES, type ServerResponse } from 'node:http';
import type { ResponseCommand } from '../../../protocol/control-messages.ts';
import { HEADERS_MAX_BYTES } from '../../../protocol/limits.ts';
import {
  headerBytes,
  isResponseStatus,
  isWithoutBody,
  responseHeadersOf,
} from '../../../protocol/relayed-http.ts';
import { sanitizeReason } from '../../../protocol/tracking.ts';
import { resetSocket } from '../../../websocket/reset-socket.ts';
import type { HttpRequest } from '../../server/http-request.ts';

/** What is wrong with a response; undefined when it can be passed on. */
export function responseFault({ statusCode, responseHeaders }: ResponseCommand): string | undefined {
  if (!isResponseStatus(statusCode)) return `the status ${statusCode} is not one of 200 to 599`;
  if (headerBytes(responseHeaders) > HEADERS_MAX_BYTES) return 'the headers are larger than 32 kB';
  return undefined;
}

export class SenderAnswer {
  readonly #request: HttpRequest;
  readonly #response: ServerResponse;
  readonly #method: string;
  #hasBody = true;

  constructor(request: HttpRequest, response: ServerResponse) {
    this.#request = request;
    this.#response = response;
    this.#method = request.message.method ?? '';
  }

  /** True from the head on: nothing else can be answered. */
  get hasBegun(): boolean {
    return this.#response.headersSent;
  }

  /** Sends an answer that is there as a whole. */
  send(command: ResponseCommand, body: Buffer): void {
    this.#writeHead(command, body.length);
    this.#response.end(this.#hasBody ? body : undefined);
  }

  /** Sends the head of an answer whose body comes in pieces. */
  begin(command: ResponseCommand): void {
    this.#writeHead(command, undefined);
    // `flushHeaders` of node:http writes UTF-8; headers are Latin-1. Without a body it is all there is.
    if (this.#hasBody) this.#response.write('', 'latin1');
    else this.#response.flushHeaders();
  }

  /** A piece of the body; it is copied. False: wait for the response's `drain`. */
  write(chunk: Buffer): boolean {
    return chunk.length === 0 || !this.#hasBody || this.#response.write(Buffer.from(chunk));
  }

  end(): void {
    this.#response.end();
  }

  /** What is not complete must not look as if it were. */
  cut(): void {
    resetSocket(this.#request.message.socket);
  }

  /** `bytes`: the length of the body; undefined: chunks. */
  #writeHead(command: ResponseCommand, bytes: number | undefined): void {
    const { statusCode: status, statusDescription, responseHeaders } = command;
    const response = this.#response;
    this.#hasBody = !isWithoutBody(this.#method, status);
    const rules = { viaHost: this.#request.asked.host, withoutBody: !this.#hasBody && status !== 204 };
    this.#request.settleBody(response);
    for (const [name, value] of Object.entries(responseHeadersOf(responseHeaders, rules))) {
      response.setHeader(name, value);
    }
    if (bytes !== undefined && this.#hasBody) response.setHeader('Content-Length', bytes);
    response.writeHead(status, sanitizeReason(statusDescription ?? STATUS_CODES[status] ?? ''));
  }
}
