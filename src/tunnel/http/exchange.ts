/**
 * One relayed request and its response, from the relay's command to the last byte: where the response goes (the control
 * channel, or a rendezvous of its own), how long it may take, and what it means that either side breaks off. It ends once.
 */
import { formatResponse } from '../../protocol/control-messages.ts';
import { HcmError } from '../../protocol/errors.ts';
import {
  CONTROL_MESSAGE_MAX_BYTES,
  INLINE_BODY_MAX_BYTES,
  RESPONSE_TIMEOUT_MS,
} from '../../protocol/limits.ts';
import type { Rejection } from '../../protocol/rejections.ts';
import { totalBytes } from '../byte-end.ts';
import type { Clock } from '../clock.ts';
import { asHcmError } from '../emitter.ts';
import { RelayedRequest } from './relayed-request.ts';
import { RelayedResponse, type ResponseHead, type ResponseOutlet } from './relayed-response.ts';
import { asResponseError, rejectionOf } from './response-errors.ts';
import type { RequestFacts } from './request-facts.ts';
import type { RequestRendezvous, RendezvousUser } from './request-rendezvous.ts';
import type { CancelSignal } from '../../websocket/cancel-signal.ts';

/** The control channel that a request came by. */
export interface ResponseChannel {
  /** Sends a response, its body right behind it. False: the channel was gone before. */
  respond(json: string, body: Buffer | undefined): Promise<boolean>;
}

export interface ExchangeOptions {
  facts: RequestFacts;
  /** What the relay calls the request. */
  id: string;
  entity: string;
  /** The whole body; `stream`: it comes by `onBody`; undefined: there is none. */
  body: Buffer | 'stream' | undefined;
  channel?: ResponseChannel | undefined;
  /** Where the request came from, if not by the channel. */
  rendezvous?: RequestRendezvous | undefined;
  /** Opens the rendezvous of the request. */
  open(signal: CancelSignal): Promise<RequestRendezvous>;
  clock: Clock;
}

/** How it went. */
export interface ExchangeOutcome {
  /** What the sender was told; undefined when it was told nothing. */
  status: number | undefined;
  bytesIn: number;
  bytesOut: number;
  error: HcmError | undefined;
}

function ignore(): void {}

export class Exchange implements ResponseOutlet, RendezvousUser {
  readonly request: RelayedRequest;
  readonly response: RelayedResponse;
  /** Resolves when nothing of it is open any more. Never rejects. */
  readonly over: Promise<ExchangeOutcome>;
  readonly #options: ExchangeOptions;
  readonly #opening = new AbortController();
  #rendezvous: RequestRendezvous | undefined;
  /** A rendezvous that is being opened, or is open. */
  #opened: Promise<RequestRendezvous> | undefined;
  #status: number | undefined;
  #bytesIn = 0;
  #bytesOut = 0;
  #error: HcmError | undefined;
  /** True from the first byte of a response on. */
  #begun = false;
  /** True when there is nothing more to send. */
  #settled = false;
  #bodyBegun = false;
  #moved = false;
  #afterDrain: (() => void) | undefined;
  #cancelDeadline: () => void = ignore;
  #settle: () => void = ignore;

  constructor(options: ExchangeOptions) {
    this.#options = options;
    const { facts, id, entity, clock, rendezvous, body } = options;
    this.#rendezvous = rendezvous;
    if (rendezvous) this.#opened = Promise.resolve(rendezvous);
    this.request = new RelayedRequest(facts, { id, entity }, { onRead: () => this.#rendezvous?.resume() });
    this.response = new RelayedResponse(this, { clock, method: facts.method });
    this.over = this.#run();
    this.#startDeadline();
    if (body === 'stream') return;
    if (body) this.#deliver(body);
    this.#deliverEnd();
  }

  /** True while the response would go over the control channel. */
  get needsChannel(): boolean {
    return this.#options.channel !== undefined && !this.#moved && !this.#settled && !this.#begun;
  }

  /** Before the control channel is closed: the relay might give up whoever still waits there. Never rejects. */
  async moveToRendezvous(): Promise<void> {
    this.#moved = true;
    this.#opened ??= this.#dial();
    await this.#opened.catch(() => undefined);
  }

  /** Ends it for the sender's side: the sender is gone, the relay has given up, or the listener is cut off. */
  abort(error: HcmError): void {
    this.#error ??= error;
    if (this.#settled) return this.#rendezvous?.destroy(error);
    this.#finishSending();
    this.request.abort(error);
    // As in node:http, that the sender left is a 'close' of the response, and no 'error'.
    this.response.destroy();
    this.#giveUpRendezvous(error);
  }

  // What the rendezvous brings.

  onBody(bytes: Buffer, last: boolean): void {
    if (!this.#begun) this.#startDeadline();
    if (bytes.length > 0 && !this.#deliver(Buffer.from(bytes))) this.#rendezvous?.pause();
    if (last) this.#deliverEnd();
  }

  onDrain(): void {
    const done = this.#afterDrain;
    this.#afterDrain = undefined;
    done?.();
  }

  onSecond(): void {
    // The first is answered as if nothing was; the relay sees this rendezvous closed behind its response.
    this.#error ??= new HcmError(
      'HCM_REQUEST_INVALID',
      'The relay sent a second request over one rendezvous',
    );
  }

  onLost(error: Error): void {
    this.abort(asHcmError(error));
  }

  // What the response brings.

  async send(head: ResponseHead, body: Buffer | undefined): Promise<void> {
    const json = this.#begin(head, body !== undefined);
    if (await this.#sendByChannel(json, body)) return;
    const rendezvous = await this.#open().catch((error: Error) => error);
    if (rendezvous instanceof Error) {
      // The channel may still be there for what is short enough.
      if (await this.#sendByChannel(json, body)) return;
      throw rendezvous;
    }
    rendezvous.respond(json, body);
    this.#bytesOut += body?.length ?? 0;
    this.#complete(rendezvous);
  }

  async begin(head: ResponseHead): Promise<void> {
    const json = this.#begin(head, true);
    const rendezvous = await this.#open();
    this.#bodyBegun = true;
    rendezvous.begin(json);
  }

  write(chunks: readonly Buffer[], done: () => void): void {
    const bytes = totalBytes(chunks);
    if (bytes === 0 || !this.#rendezvous) return done();
    this.#bytesOut += bytes;
    if (this.#rendezvous.write(chunks)) done();
    else this.#afterDrain = done;
  }

  finish(): void {
    if (this.#settled || !this.#rendezvous) return;
    if (this.#bodyBegun) this.#rendezvous.endBody();
    this.#complete(this.#rendezvous);
  }

  abandon(error: Error | undefined): void {
    if (this.#settled) return;
    const broken = asResponseError(error);
    this.#error ??= broken;
    // The sender's own body is of no use any more.
    this.request.abort(broken);
    if (!this.#begun) return void this.#reject(rejectionOf(error));
    this.#finishSending();
    this.#giveUpRendezvous(broken);
  }

  async #run(): Promise<ExchangeOutcome> {
    await new Promise<void>((resolve) => (this.#settle = resolve));
    const rendezvous = await this.#opened?.catch(() => undefined);
    const lost = await rendezvous?.over;
    if (lost) this.#error ??= asHcmError(lost);
    return { status: this.#status, bytesIn: this.#bytesIn, bytesOut: this.#bytesOut, error: this.#error };
  }

  /** The relay counts from the request to the response; while a long body still arrives, it can only have just begun. */
  #startDeadline(): void {
    const late = () => {
      const text = `No response within ${RESPONSE_TIMEOUT_MS / 1000} s, when the relay answers 504 itself`;
      this.abort(new HcmError('HCM_TARGET_TIMEOUT', text, { retryable: true }));
    };
    this.#cancelDeadline();
    this.#cancelDeadline = this.#options.clock.setTimer(RESPONSE_TIMEOUT_MS, late);
  }

  /** False: pause. What nobody reads any more is dropped, and still read: the relay's Close comes behind it. */
  #deliver(bytes: Buffer): boolean {
    this.#bytesIn += bytes.length;
    return this.request.destroyed || this.request.push(bytes);
  }

  #deliverEnd(): void {
    this.request.complete = true;
    if (!this.request.destroyed) this.request.push(null);
  }

  #begin(head: ResponseHead, hasBody: boolean): string {
    const { statusCode, statusMessage, headers } = head;
    const json = formatResponse({
      requestId: this.#options.id,
      statusCode,
      ...(statusMessage ? { statusDescription: statusMessage } : {}),
      responseHeaders: headers,
      body: hasBody,
    });
    const bytes = Buffer.byteLength(json);
    if (bytes > CONTROL_MESSAGE_MAX_BYTES)
      throw new HcmError(
        'HCM_RESPONSE_INVALID',
        `The head of the response has ${bytes} bytes, too many to send`,
      );
    this.#status = statusCode;
    return json;
  }

  async #sendByChannel(json: string, body: Buffer | undefined): Promise<boolean> {
    const { channel } = this.#options;
    if (!channel || this.#opened || this.#settled || (body?.length ?? 0) > INLINE_BODY_MAX_BYTES)
      return false;
    this.#begun = true;
    if (await channel.respond(json, body)) {
      this.#bytesOut += body?.length ?? 0;
      this.#complete(undefined);
      return true;
    }
    this.#begun = false;
    return false;
  }

  /** The rendezvous, for the response. Rejects when it cannot be had, and when it is too late for a response. */
  async #open(): Promise<RequestRendezvous> {
    this.#opened ??= this.#dial();
    const rendezvous = await this.#opened;
    if (this.#settled || this.#begun)
      throw this.#error ?? new HcmError('HCM_ABORTED', 'The response was given up');
    this.#begun = true;
    this.#cancelDeadline();
    return rendezvous;
  }

  async #dial(): Promise<RequestRendezvous> {
    const rendezvous = await this.#options.open(this.#opening.signal).catch((error: unknown) => {
      this.#opened = undefined;
      throw error;
    });
    rendezvous.start(this);
    this.#rendezvous = rendezvous;
    if (this.#settled) this.#giveUpRendezvous(this.#error);
    return rendezvous;
  }

  /** Nothing was sent yet: the sender is told why it gets no better answer. */
  async #reject({ status, description }: Rejection): Promise<void> {
    const isHead = this.request.method === 'HEAD';
    const body = isHead ? undefined : Buffer.from(`${description}\n`);
    const headers = { 'Content-Type': 'text/plain; charset=utf-8' };
    try {
      await this.send({ statusCode: status, statusMessage: description, headers }, body);
    } catch (failure) {
      this.#status = undefined;
      this.#finishSending();
      this.#giveUpRendezvous(asHcmError(failure));
    }
  }

  #complete(rendezvous: RequestRendezvous | undefined): void {
    this.#finishSending();
    if (rendezvous) rendezvous.finish();
    else this.#giveUpRendezvous();
    this.#endRequest();
  }

  /** What of the body has not arrived will not; and what nobody has begun to read is not kept. */
  #endRequest(): void {
    const { request } = this;
    if (!request.complete) request.destroy(new HcmError('HCM_ABORTED', 'The response ended before the body'));
    else if (!request.readableDidRead)
      setImmediate(() => void (request.readableDidRead || request.destroy()));
  }

  #giveUpRendezvous(error = new HcmError('HCM_ABORTED', 'The response was given up')): void {
    this.#opening.abort(error);
    this.#rendezvous?.destroy(error);
  }

  #finishSending(): void {
    this.#settled = true;
    this.#cancelDeadline();
    this.#settle();
  }
}
