/**
 * One request of a local client, asked of the relay, and the answer brought back: both streamed, as fast as the slower side
 * takes them. An answer is whole or its connection is cut, never silently short.
 */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import {
  request as httpRequest,
  type ClientRequest,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import { HcmError } from '../../protocol/errors.ts';
import { urlHost } from '../../protocol/relay-hosts.ts';
import { sanitizeReason } from '../../protocol/tracking.ts';
import { hasBody, HEAD_MAX_BYTES } from '../../websocket/http-head.ts';
import { resetSocket } from '../../websocket/reset-socket.ts';
import { asHcmError } from '../emitter.ts';
import { nodeCode } from '../network-errors.ts';
import type { Sender } from '../sender.ts';
import { localHeadersOf, originForm, relayHeadersOf, relayTarget, remoteOf, withRequestId } from './heads.ts';
import { answerWith, errorBody, statusOf } from './local-answer.ts';
import { isRelaysOwn, listenersRefusal, relaysRefusal } from './refusal.ts';
import type { RelayAgent } from './relay-agent.ts';
import type { RelayTokens } from './relay-tokens.ts';
import { SilenceWatch } from './silence-watch.ts';
import type { CancelSignal } from '../../websocket/cancel-signal.ts';

/** The relay gives a listener 60 s to answer and then says so itself; only a relay that is gone takes longer. */
const ANSWER_TIMEOUT_MS = 75_000;
/** Of requests that may be sent again: once over a pooled connection that was gone, once with a stale token. */
const ATTEMPTS = 3;
/** RFC 9110, 9.2.2, less those that come with a body. */
const REPEATABLE = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'DELETE', 'PUT']);

export interface ExchangeContext {
  readonly sender: Sender;
  readonly agent: RelayAgent;
  readonly tokens: RelayTokens;
  readonly keepPath: boolean;
}

/** The last word about an exchange, for its event. */
interface Outcome {
  error?: HcmError | undefined;
  /** The relay or the listener has refused, and no stream came to be. */
  refused: boolean;
}

export class Exchange {
  readonly #context: ExchangeContext;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #stream = randomUUID();
  readonly #startedMs: number;
  readonly #silence: SilenceWatch;
  #upstream: ClientRequest | undefined;
  /** Set when we end it: the reason, in the place of what the sockets say then. */
  #aborted: HcmError | undefined;
  #isClientGone = false;
  #bytesIn = 0;
  #bytesOut = 0;

  constructor(
    context: ExchangeContext,
    { request, response }: { request: IncomingMessage; response: ServerResponse },
  ) {
    this.#context = context;
    this.#request = request;
    this.#response = response;
    this.#startedMs = context.sender.clock.monotonicMs();
    this.#silence = new SilenceWatch(context.sender.clock, () => this.#onSilent());
  }

  /** Resolves when it is over, and its event was told. Never rejects. */
  async run(signal: CancelSignal): Promise<void> {
    const onStop = () => this.#abort(signal.reason as HcmError);
    const onClientGone = () => {
      if (this.#response.writableFinished) return;
      this.#isClientGone = true;
      this.#abort(clientGone());
    };
    this.#response.once('close', onClientGone).on('error', ignore);
    this.#request.on('error', ignore);
    signal.addEventListener('abort', onStop, { once: true });
    const remote = remoteOf(this.#request);
    this.#context.sender.emit({ event: 'opening', stream: this.#stream, remote });
    const { error, refused } = await this.#exchange().catch((failure: unknown) => this.#fail(failure));
    signal.removeEventListener('abort', onStop);
    this.#silence.stop();
    this.#tell({ error, refused }, remote);
  }

  #tell({ error, refused }: Outcome, remote: string | undefined): void {
    const { clock, emit } = this.#context.sender;
    const stream = this.#stream;
    if (refused && error) return emit({ event: 'refused', stream, error });
    const { method, url = '/' } = this.#request;
    const { headersSent, statusCode } = this.#response;
    emit({
      ...{ event: 'request', stream, method, path: originForm(url).replace(/[?#].*$/s, '') },
      ...(headersSent ? { status: statusCode } : {}),
      ...{ bytesIn: this.#bytesIn, bytesOut: this.#bytesOut },
      ...{ durationMs: Math.round(clock.monotonicMs() - this.#startedMs), remote, error },
    });
  }

  async #exchange(): Promise<Outcome> {
    const answer = await this.#ask();
    const { sender } = this.#context;
    const own = isRelaysOwn(answer.message)
      ? (answer.refusal ?? (await relaysRefusal(answer.message, sender.connection, sender.clock.nowMs())))
      : undefined;
    const error = own?.error ?? listenersRefusal(answer.message, sender.connection);
    this.#silence.limit(sender.options.idleTimeoutMs);
    await this.#bringBack(answer.message, own?.body);
    return { error, refused: error !== undefined };
  }

  /** Asks, and asks again where that can help and the request is still whole. */
  async #ask(): Promise<{ message: IncomingMessage; refusal?: { error: HcmError; body: Buffer } }> {
    const { sender, tokens } = this.#context;
    const { method = 'GET', rawHeaders } = this.#request;
    const isWhole = !hasBody(rawHeaders);
    for (let attempt = 1; ; attempt += 1) {
      const token = await tokens.token();
      this.#checkAborted();
      const mayTryAgain = isWhole && attempt < ATTEMPTS;
      try {
        const message = await this.#send(token?.text);
        if (!isRelaysOwn(message) || message.statusCode !== 401) return { message };
        const refusal = await relaysRefusal(message, sender.connection, sender.clock.nowMs());
        const isNewer = tokens.refused(refusal.error, token);
        // What the relay refused has reached nobody, whatever its method.
        if (!mayTryAgain || !isNewer) return { message, refusal };
        message.destroy();
      } catch (error) {
        const mayRepeat = mayTryAgain && REPEATABLE.has(method);
        if (!mayRepeat || this.#upstream?.reusedSocket !== true || this.#aborted) throw error;
      }
    }
  }

  #send(token: string | undefined): Promise<IncomingMessage> {
    const { agent, keepPath, sender } = this.#context;
    const { host, port } = sender.connection.endpoint;
    const { method = 'GET', rawHeaders, url = '/' } = this.#request;
    const authority = port === 443 ? urlHost(host) : `${urlHost(host)}:${port}`;
    const upstream = httpRequest({
      ...{ agent, method, host, port, maxHeaderSize: HEAD_MAX_BYTES },
      path: withRequestId(relayTarget(url, sender.connection.path, keepPath), this.#stream),
      headers: relayHeadersOf(rawHeaders, { method, host: authority, token }),
    });
    this.#upstream = upstream;
    this.#silence.limit(ANSWER_TIMEOUT_MS);
    const answered = new Promise<IncomingMessage>((resolve, reject) => {
      upstream.once('response', resolve).once('error', reject);
      upstream.once('close', () => reject(lost('before it answered')));
    });
    // After the answer's head it is the answer that tells of errors.
    upstream.on('error', ignore);
    this.#sendBody(upstream);
    return answered;
  }

  #sendBody(upstream: ClientRequest): void {
    const request = this.#request;
    if (!hasBody(request.rawHeaders)) return void upstream.end();
    request.on('data', (chunk: Buffer) => {
      this.#bytesOut += chunk.length;
      this.#silence.heard();
    });
    request.pipe(upstream);
    upstream.on('drain', () => this.#silence.heard());
    // Whoever answers early and closes has read enough; the client must still come to its end to hear that.
    upstream.once('close', () => {
      request.unpipe(upstream);
      request.resume();
    });
  }

  /** Resolves when the client has all of the answer. */
  #bringBack(answer: IncomingMessage, start: Buffer | undefined): Promise<void> {
    this.#checkAborted();
    const { keepPath, sender } = this.#context;
    const { path, endpoint } = sender.connection;
    const response = this.#response;
    const { statusCode: status = 502, statusMessage = '', rawHeaders } = answer;
    const relayHost =
      endpoint.port === 443 ? urlHost(endpoint.host) : `${urlHost(endpoint.host)}:${endpoint.port}`;
    response.sendDate = false;
    response.writeHead(
      status,
      sanitizeReason(statusMessage),
      localHeadersOf(rawHeaders, { status, relayHost, entity: path, keepPath }),
    );
    // An event stream says nothing at first, and still the page wants to know that it is there.
    response.flushHeaders();
    if (start !== undefined && start.length > 0) response.write(start);
    this.#bytesIn += start?.length ?? 0;
    return new Promise((resolve, reject) => {
      if (answer.destroyed && !answer.readableEnded) return reject(lost('in the middle of its answer'));
      answer.on('data', (chunk: Buffer) => {
        this.#bytesIn += chunk.length;
        this.#silence.heard();
      });
      response.on('drain', () => this.#silence.heard());
      const broken = lost('in the middle of its answer');
      // Of a connection that closed, node:http says no more than "aborted".
      answer.once('error', (error) => reject(nodeCode(error) === 'ECONNRESET' ? broken : error));
      answer.once('close', () => {
        if (!answer.complete) reject(broken);
      });
      response.once('close', () => {
        // Of a connection that was reset, node:http says that all was written.
        if (response.writableFinished && !this.#aborted) resolve();
        else reject(clientGone());
      });
      if (answer.readableEnded) response.end();
      else answer.pipe(response);
    });
  }

  /** Tells the client, as far as that is still possible, and what it was, for the event. */
  async #fail(failure: unknown): Promise<Outcome> {
    const error = this.#aborted ?? toHcmError(failure);
    const response = this.#response;
    const isUnanswered = !response.headersSent;
    this.#upstream?.destroy();
    if (isUnanswered && !response.destroyed && error.code !== 'HCM_ABORTED') {
      const closed = once(response, 'close');
      answerWith(response, statusOf(error), errorBody(error));
      await closed;
    } else if (response.socket) resetSocket(response.socket);
    return { error, refused: isUnanswered && !this.#isClientGone };
  }

  #abort(reason: HcmError): void {
    this.#aborted ??= reason;
    const { socket, headersSent } = this.#response;
    // First: node:http would end what is left of an answer that is all here already, as if that were all of it.
    if (socket && (headersSent || reason.code === 'HCM_ABORTED')) resetSocket(socket);
    this.#upstream?.destroy(reason);
  }

  #checkAborted(): void {
    if (this.#aborted) throw this.#aborted;
  }

  #onSilent(): void {
    const { path } = this.#context.sender.connection;
    this.#abort(
      this.#response.headersSent
        ? new HcmError('HCM_IDLE_TIMEOUT', 'Nothing came or went for too long', { retryable: true })
        : new HcmError('HCM_CONNECT_TIMEOUT', `${path} did not answer within ${ANSWER_TIMEOUT_MS / 1000} s`, {
            retryable: true,
          }),
    );
  }
}

function toHcmError(failure: unknown): HcmError {
  if (failure instanceof HcmError) return failure;
  const code = failure instanceof Error ? nodeCode(failure) : '';
  const { message } = failure as Error;
  if (code.startsWith('HPE_')) {
    return new HcmError('HCM_RESPONSE_INVALID', `The relay's answer is no HTTP: ${message}`, {
      cause: failure,
    });
  }
  if (code === 'ERR_UNESCAPED_CHARACTERS') {
    return new HcmError('HCM_REQUEST_INVALID', 'The path holds a character that must be escaped', {
      cause: failure,
    });
  }
  return asHcmError(failure);
}

function lost(when: string): HcmError {
  return new HcmError('HCM_CONNECTION_LOST', `The relay closed the connection ${when}`, { retryable: true });
}

function clientGone(): HcmError {
  return new HcmError('HCM_CONNECTION_LOST', 'The local client went away before it had the answer');
}

function ignore(): void {}
