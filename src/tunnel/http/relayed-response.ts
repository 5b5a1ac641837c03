/**
 * A response on its way to the relay, as a handler sees it: what of node:http's ServerResponse handlers use. It decides
 * when a response is held back to be sent whole, and when it has to stream; its owner, the exchange, knows over what.
 */
import { Writable } from 'node:stream';
import { HcmError } from '../../protocol/errors.ts';
import { HEADERS_MAX_BYTES, INLINE_BODY_MAX_BYTES } from '../../protocol/limits.ts';
import { headerBytes, isResponseStatus, isWithoutBody } from '../../protocol/relayed-http.ts';
import { totalBytes } from '../byte-end.ts';
import type { Clock } from '../clock.ts';
import { ResponseHeaders, type HeaderValue } from './response-headers.ts';

/**
 * How long what was written waits for the end of a short response, before it goes out by itself: server-sent events must
 * flow. Our choice: the service's own .NET listener waits 2 s.
 */
export const HOLD_MS = 25;
/** Room for a few reads of a file or a socket. */
const HIGH_WATER_BYTES = 128 * 1024;
/** RFC 9112, 4; as node:http has it. */
const NOT_IN_REASON = /[^\t\u0020-\u007e\u0080-\u00ff]/;
const NO_CONTENT = 204;

function ignore(): void {}

export interface ResponseHead {
  readonly statusCode: number;
  readonly statusMessage: string | undefined;
  readonly headers: Record<string, string>;
}

/** Where a response goes. `send` alone, or `begin`, then `write` as often as needed, each after the last, then `finish`. */
export interface ResponseOutlet {
  /** All of it. Without `body` the response has none. */
  send(head: ResponseHead, body: Buffer | undefined): Promise<void>;
  begin(head: ResponseHead): Promise<void>;
  write(chunks: readonly Buffer[], done: () => void): void;
  finish(): void;
  /** It is over, and was not completed. */
  abandon(error: Error | undefined): void;
}

type HeaderInput = Readonly<Record<string, HeaderValue | undefined>> | readonly string[];

export class RelayedResponse extends Writable {
  readonly #outlet: ResponseOutlet;
  readonly #clock: Clock;
  readonly #method: string;
  readonly #headers = new ResponseHeaders();
  #statusCode = 200;
  #statusMessage: string | undefined;
  #head: ResponseHead | undefined;
  /** What was written while the response may still be sent whole. */
  #held: Buffer[] = [];
  #heldBytes = 0;
  /** Set when the response streams. */
  #begun: Promise<void> | undefined;
  #streaming = false;
  /** What Content-Length promises and was not written yet; undefined without one. */
  #owedBytes: number | undefined;
  #completed = false;
  #cancelHold: () => void = ignore;

  constructor(outlet: ResponseOutlet, options: { clock: Clock; method: string }) {
    super({ highWaterMark: HIGH_WATER_BYTES, decodeStrings: true, autoDestroy: true });
    this.#outlet = outlet;
    this.#clock = options.clock;
    this.#method = options.method;
    // A handler need not listen for errors: that the sender left must not end the program.
    this.on('error', ignore);
  }

  get statusCode(): number {
    return this.#statusCode;
  }

  /** Throws RangeError for what the relay passes on to nobody: 1xx, and what is no status. */
  set statusCode(status: number) {
    if (!Number.isInteger(status) || !isResponseStatus(status))
      throw withCode(
        new RangeError(`Invalid status code: ${String(status)}`),
        'ERR_HTTP_INVALID_STATUS_CODE',
      );
    this.#statusCode = status;
  }

  get statusMessage(): string | undefined {
    return this.#statusMessage;
  }

  /** Undefined, the default: the usual words for the status. Throws TypeError for control characters. */
  set statusMessage(text: string | undefined) {
    if (text !== undefined && NOT_IN_REASON.test(text))
      throw withCode(new TypeError('Invalid character in statusMessage'), 'ERR_INVALID_CHAR');
    this.#statusMessage = text;
  }

  /** True from `writeHead`, `flushHeaders`, or the first `write` or `end` on: nothing of the head can be changed then. */
  get headersSent(): boolean {
    return this.#head !== undefined;
  }

  setHeader(name: string, value: HeaderValue): this {
    this.#mayChange();
    this.#headers.set(name, value);
    return this;
  }

  appendHeader(name: string, value: string | readonly string[]): this {
    this.#mayChange();
    this.#headers.append(name, value);
    return this;
  }

  getHeader(name: string): HeaderValue | undefined {
    return this.#headers.get(name);
  }

  getHeaderNames(): string[] {
    return this.#headers.names();
  }

  getHeaders(): Record<string, HeaderValue | undefined> {
    return Object.fromEntries(this.#headers.names().map((name) => [name, this.#headers.get(name)]));
  }

  hasHeader(name: string): boolean {
    return this.#headers.has(name);
  }

  removeHeader(name: string): void {
    this.#mayChange();
    this.#headers.remove(name);
  }

  /** `headers`: an object, or names and values in turn. */
  writeHead(status: number, reason?: string | HeaderInput, headers?: HeaderInput): this {
    this.#mayChange();
    this.statusCode = status;
    if (typeof reason === 'string') this.statusMessage = reason;
    const input = typeof reason === 'string' ? headers : (reason ?? headers);
    if (input !== undefined) this.#setAll(input);
    this.#commit();
    return this;
  }

  /** The head leaves within HOLD_MS, also when no byte of the body comes. */
  flushHeaders(): void {
    this.#commit();
    this.#hold();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#take([chunk], done);
  }

  override _writev(parts: { chunk: Buffer }[], done: (error?: Error | null) => void): void {
    this.#take(
      parts.map(({ chunk }) => chunk),
      done,
    );
  }

  override _final(done: (error?: Error | null) => void): void {
    const completed = () => {
      this.#completed = true;
      done();
    };
    try {
      const head = this.#commit();
      this.#cancelHold();
      if (!this.#isBodiless && (this.#owedBytes ?? 0) > 0)
        throw brokenOff(`${this.#owedBytes} bytes fewer were written than Content-Length says`);
      if (!this.#begun) {
        const body = this.#heldBytes > 0 ? Buffer.concat(this.#held) : undefined;
        this.#outlet.send(head, body).then(completed, done);
      } else {
        const finish = () => {
          this.#outlet.finish();
          completed();
        };
        this.#begun.then(finish, done);
      }
    } catch (error) {
      done(error as Error);
    }
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#cancelHold();
    this.#held = [];
    if (!this.#completed) this.#outlet.abandon(error ?? undefined);
    done(error);
  }

  get #isBodiless(): boolean {
    return isWithoutBody(this.#method, this.#head?.statusCode ?? this.#statusCode);
  }

  #take(chunks: Buffer[], done: (error?: Error | null) => void): void {
    try {
      this.#commit();
      if (this.#isBodiless) return done();
      const bytes = totalBytes(chunks);
      this.#count(bytes);
      if (!this.#begun && this.#heldBytes + bytes <= INLINE_BODY_MAX_BYTES) {
        // The writer is told that it may go on, and may then use its memory again.
        for (const chunk of chunks) if (chunk.length > 0) this.#held.push(Buffer.from(chunk));
        this.#heldBytes += bytes;
        this.#hold();
        return done();
      }
      if (this.#streaming) return this.#outlet.write(chunks, done);
      this.#stream().then(() => this.#outlet.write(chunks, done), done);
    } catch (error) {
      done(error as Error);
    }
  }

  #count(bytes: number): void {
    if (this.#owedBytes === undefined) return;
    this.#owedBytes -= bytes;
    if (this.#owedBytes < 0) throw brokenOff('more was written than Content-Length says');
  }

  #hold(): void {
    if (this.#begun || this.#cancelHold !== ignore || this.destroyed) return;
    const act = () => {
      if (!this.writableFinished && !this.destroyed)
        this.#stream().catch((error: Error) => this.destroy(error));
    };
    this.#cancelHold = this.#clock.setTimer(HOLD_MS, act);
  }

  /** The response cannot be sent whole any more: its head and what was held go out. */
  #stream(): Promise<void> {
    this.#cancelHold();
    this.#begun ??= this.#begin(this.#commit());
    return this.#begun;
  }

  async #begin(head: ResponseHead): Promise<void> {
    // A body that cannot be is not announced.
    if (this.#isBodiless) await this.#outlet.send(head, undefined);
    else await this.#outlet.begin(head);
    this.#streaming = true;
    const held = this.#held;
    this.#held = [];
    if (held.length > 0) await new Promise<void>((resolve) => this.#outlet.write(held, resolve));
  }

  #mayChange(): void {
    if (this.headersSent)
      throw withCode(new Error('Cannot set headers after they are sent'), 'ERR_HTTP_HEADERS_SENT');
  }

  #setAll(input: HeaderInput): void {
    if (!Array.isArray(input)) {
      for (const [name, value] of Object.entries(input as Record<string, HeaderValue | undefined>))
        if (value !== undefined) this.#headers.set(name, value);
      return;
    }
    const fields = input as readonly string[];
    for (let at = 0; at < fields.length; at += 2) this.#headers.remove(fields[at] ?? '');
    for (let at = 0; at + 1 < fields.length; at += 2)
      this.#headers.append(fields[at] ?? '', fields[at + 1] ?? '');
  }

  /** The head as it will leave; made once. Throws HcmError HCM_RESPONSE_INVALID for what cannot travel. */
  #commit(): ResponseHead {
    if (this.#head) return this.#head;
    // A length of nothing makes no sense, and is forbidden (RFC 9110, 8.6).
    if (this.#statusCode === NO_CONTENT) this.#headers.remove('content-length');
    const headers = this.#headers.joined();
    const length = this.#headers.get('content-length');
    if (length !== undefined) this.#owedBytes = declaredLength(length);
    const bytes = headerBytes(headers);
    if (bytes > HEADERS_MAX_BYTES)
      throw brokenOff(`its headers have ${bytes} bytes, and the relay takes ${HEADERS_MAX_BYTES}`);
    this.#head = { statusCode: this.#statusCode, statusMessage: this.#statusMessage, headers };
    return this.#head;
  }
}

function declaredLength(value: HeaderValue): number {
  const text = String(value);
  if (!/^\d{1,15}$/.test(text)) throw brokenOff('its Content-Length is not a number');
  return Number(text);
}

function brokenOff(what: string): HcmError {
  return new HcmError('HCM_RESPONSE_INVALID', `The response cannot be sent: ${what}`);
}

function withCode<E extends Error>(error: E, code: string): E {
  return Object.assign(error, { code });
}
