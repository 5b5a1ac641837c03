/** A request handler that forwards each request to an HTTP target: what `hcm listen --target http://...` serves with. */
import { request as httpRequest, type ClientRequest, type IncomingMessage } from 'node:http';
import { pipeline } from 'node:stream';
import { HcmError } from '../../protocol/errors.ts';
import { HEADERS_MAX_BYTES } from '../../protocol/limits.ts';
import { formatTargetAddress, type HttpTargetAddress } from '../../protocol/target-address.ts';
import { stripGateway } from '../../protocol/tracking.ts';
import { systemClock, type Clock } from '../clock.ts';
import { nodeCode } from '../network-errors.ts';
import { answerHead, forwardedHead, type ForwardedHead, type ForwardingRules } from './forwarded-head.ts';
import type { RelayedRequest } from './relayed-request.ts';
import type { RelayedResponse } from './relayed-response.ts';
import type { RequestHandler } from './request-server.ts';
import { TargetAgent, type AgentRequest, type TargetAgentOptions } from './target-agent.ts';

/** May be sent twice without doing a thing twice (RFC 9110, 9.2.2). */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);

export interface HttpTargetOptions extends ForwardingRules, Omit<TargetAgentOptions, 'clock'> {
  clock?: Clock | undefined;
}

/** Whoever made it calls `close` when no request is open any more: it keeps connections. */
export type HttpTarget = RequestHandler & { close(): void };

export function httpTarget(address: HttpTargetAddress, options: HttpTargetOptions = {}): HttpTarget {
  const { clock = systemClock, ...rest } = options;
  const pooled = new TargetAgent(address, { clock, ...rest });
  const single = new TargetAgent(address, { clock, ...rest, reuse: false });
  const name = formatTargetAddress(address);
  const serve: RequestHandler = (request, response) => {
    const head = forwardedHead(request, address, options);
    new Forwarding(request, response, { pooled, single, name, head }).start();
  };
  const close = () => {
    pooled.destroy();
    single.destroy();
  };
  return Object.assign(serve, { close });
}

interface ForwardingContext {
  /** For requests that may be sent again, should the target have closed the connection meanwhile. */
  pooled: TargetAgent;
  /** For all others: each gets a connection of its own. */
  single: TargetAgent;
  /** Of the target, for errors. */
  name: string;
  head: ForwardedHead;
}

/** One request on its way to the target and back. */
class Forwarding {
  readonly #request: RelayedRequest;
  readonly #response: RelayedResponse;
  readonly #context: ForwardingContext;
  #outgoing: ClientRequest | undefined;

  constructor(request: RelayedRequest, response: RelayedResponse, context: ForwardingContext) {
    this.#request = request;
    this.#response = response;
    this.#context = context;
  }

  start(): void {
    // Also when all went well: a target that answers before it has read the body must not go on reading it.
    this.#response.once('close', () => this.#abandon());
    this.#send();
  }

  #send(): void {
    const { pooled, single, head, name } = this.#context;
    const { id, method, remote } = this.#request;
    const options: AgentRequest = {
      agent: this.#isRepeatable ? pooled : single,
      method,
      path: head.path,
      headers: head.headers,
      setHost: false,
      maxHeaderSize: HEADERS_MAX_BYTES,
      client: { remote, stream: stripGateway(id) },
    };
    const outgoing = httpRequest(options);
    this.#outgoing = outgoing;
    let answered = false;
    outgoing.once('response', (answer) => {
      answered = true;
      this.#onAnswer(answer);
    });
    // Nobody asked for another protocol: `Upgrade` does not pass. Unheard, node:http would close and say nothing.
    outgoing.once('upgrade', ({ statusCode }, socket) => {
      socket.destroy();
      const text = `${name} answered with status ${statusCode} to a request without Upgrade`;
      this.#response.destroy(new HcmError('HCM_RESPONSE_INVALID', text));
    });
    outgoing.on('error', (error) => {
      if (answered || this.#response.destroyed) return;
      if (this.#mayRepeat(outgoing, error)) this.#send();
      else this.#response.destroy(targetError(error, name));
    });
    if (this.#hasBody) this.#request.pipe(outgoing);
    else outgoing.end();
  }

  #onAnswer(answer: IncomingMessage): void {
    const { head, name } = this.#context;
    const response = this.#response;
    answer.once('error', () => {
      response.destroy(new HcmError('HCM_RESPONSE_INVALID', `${name} broke off its answer`));
    });
    try {
      const { statusCode, statusMessage, headers } = answerHead(answer, head.mount);
      response.statusCode = statusCode;
      response.statusMessage = statusMessage;
      for (const [field, value] of headers) response.appendHeader(field, value);
      response.flushHeaders();
    } catch (error) {
      answer.destroy();
      const known = error instanceof HcmError;
      response.destroy(
        known ? error : new HcmError('HCM_RESPONSE_INVALID', `${name}: ${(error as Error).message}`),
      );
      return;
    }
    pipeline(answer, response, () => undefined);
  }

  /** The target had closed a kept connection before it saw the request: another is no second request to it. */
  #mayRepeat(outgoing: ClientRequest, error: Error): boolean {
    const isStale = ['ECONNRESET', 'EPIPE'].includes(nodeCode(error));
    return outgoing.reusedSocket && isStale && this.#isRepeatable;
  }

  get #isRepeatable(): boolean {
    return !this.#hasBody && IDEMPOTENT.has(this.#request.method);
  }

  get #hasBody(): boolean {
    const { headers } = this.#request;
    return headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined;
  }

  #abandon(): void {
    const outgoing = this.#outgoing;
    if (outgoing && !(this.#response.writableFinished && outgoing.writableFinished)) outgoing.destroy();
  }
}

function targetError(error: Error, name: string): HcmError {
  if (error instanceof HcmError) return error;
  const code = nodeCode(error);
  const what = code.startsWith('HPE_')
    ? `answered with what is not HTTP (${code})`
    : `closed the connection without an answer (${code || error.message})`;
  return new HcmError('HCM_RESPONSE_INVALID', `${name} ${what}`, { retryable: true });
}
