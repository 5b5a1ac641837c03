/**
 * One HTTP request on its way to a listener and back: which of the two ways it takes, who answers it, and that its
 * sender gets exactly one of three things: the listener's answer, an error of the relay, or, where an answer has begun
 * and cannot be completed, the loss of its connection.
 *
 * gathering: a body small enough for the control channel is read. waiting: a listener was told. answering: the head of
 * the answer is out, and its body comes over the rendezvous. over: the sender has everything, or will never have it.
 */
import type { ServerResponse } from 'node:http';
import { CLOSE_CODES } from '../../../protocol/close-reasons.ts';
import {
  formatRequest,
  type RequestCommand,
  type ResponseCommand,
} from '../../../protocol/control-messages.ts';
import { CONTROL_MESSAGE_MAX_BYTES, INLINE_BODY_MAX_BYTES } from '../../../protocol/limits.ts';
import type { RelayCondition } from '../../../protocol/relay-answers.ts';
import { requestHeadersOf } from '../../../protocol/relayed-http.ts';
import type { HttpRequest } from '../../server/http-request.ts';
import { pooledRandom } from '../../../websocket/random-pool.ts';
import type { RelayContext, RelayEntity } from '../context.ts';
import type { ControlChannel } from '../control-channel.ts';
import type { Handshake } from '../handshake.ts';
import { rendezvousAddress } from '../rendezvous-address.ts';
import type { Admission } from './admit.ts';
import { refuseRequest } from './refuse-request.ts';
import { RequestRendezvous, type RendezvousOwner } from './request-rendezvous.ts';
import { responseFault, SenderAnswer } from './sender-answer.ts';
import { announcedBytes, gatherBody } from './sender-body.ts';

const EMPTY = Buffer.alloc(0);

export class Exchange implements RendezvousOwner {
  readonly entity: RelayEntity;
  /** The id in the listener's messages, and the secret in the address: the sender's id, and 128 bits. */
  readonly secretId: string;

  readonly #context: RelayContext;
  readonly #request: HttpRequest;
  readonly #response: ServerResponse;
  readonly #answer: SenderAnswer;
  readonly #admission: Admission;
  #phase: 'gathering' | 'waiting' | 'answering' | 'over' = 'gathering';
  /** The body, when it was read completely. */
  #body: Buffer | undefined;
  /** True when the listener has the whole request: nobody else may get it. */
  #inline = false;
  #listener: ControlChannel | undefined;
  #rendezvous: RequestRendezvous | undefined;
  #cancelLimit: () => void = () => undefined;

  /** Is in `context.exchanges` until it is over. */
  constructor(context: RelayContext, request: HttpRequest, response: ServerResponse, admission: Admission) {
    this.entity = admission.entity;
    this.secretId = `${request.trackingId}_${pooledRandom(16).toString('hex')}`;
    this.#context = context;
    this.#request = request;
    this.#response = response;
    this.#answer = new SenderAnswer(request, response);
    this.#admission = admission;
    context.exchanges.set(this.secretId, this);
  }

  /** Reads what must be read, then tells a listener. */
  begin(): void {
    const { message } = this.#request;
    const { socket } = message;
    // The limits are ours from here on; node:http sets its own again after the answer.
    socket.setTimeout(0);
    message.on('error', () => undefined);
    socket.once('close', this.#onSenderGone);
    this.#response.once('finish', this.#onDelivered).on('drain', this.#onSenderDrain);
    const bytes = announcedBytes(message);
    if (bytes > INLINE_BODY_MAX_BYTES || bytes === 0) return this.#offer();
    // Whoever cannot be relayed is told so before sending a body.
    const condition = this.#choose();
    if (typeof condition === 'string') return this.#fail(condition);
    this.#limit(this.#context.behaviour.bodyIdleMs);
    this.#request.askForBody(this.#response);
    gatherBody(
      message,
      () => this.#phase === 'gathering' && this.#limit(this.#context.behaviour.bodyIdleMs),
      (body) => {
        this.#body = body;
        if (this.#phase === 'gathering') this.#offer();
      },
    );
  }

  /** A listener comes for the request, or with an answer too large for its channel. False: it cannot, any more. */
  open(handshake: Handshake): boolean {
    if (this.#phase !== 'waiting' || this.#rendezvous !== undefined) return false;
    const listener = this.#listener;
    listener?.exchanges.delete(this);
    handshake.accept(this.#context.nowMs());
    this.#rendezvous = new RequestRendezvous(this.#context, handshake, this);
    if (!this.#inline) {
      const { message } = this.#request;
      const command = this.#command(handshake.asked);
      this.#request.askForBody(this.#response);
      this.#rendezvous.sendRequest(
        formatRequest(command),
        command.body ? (this.#body ?? message) : undefined,
      );
      this.onProgress();
    }
    this.#rendezvous.start();
    return true;
  }

  /** The listener's answer on its control channel, complete. */
  answer(command: ResponseCommand, body: Buffer): void {
    if (this.#phase !== 'waiting') return;
    const fault =
      body.length > INLINE_BODY_MAX_BYTES
        ? `a body of more than ${INLINE_BODY_MAX_BYTES} bytes needs a rendezvous`
        : responseFault(command);
    if (fault !== undefined) return this.#fail('response-invalid', fault);
    this.#rendezvous?.close(CLOSE_CODES.normal, 'Normal Closure');
    this.#emit({ event: 'response', status: command.statusCode, inline: true });
    this.#finish();
    this.#answer.send(command, body);
  }

  /** The listener's control channel is gone. Another listener gets what this one never had. */
  listenerLeft(): void {
    if (this.#phase !== 'waiting' || this.#rendezvous !== undefined) return;
    if (!this.#inline) return this.#offer();
    if (this.#context.behaviour.requestOfLostListener === 'fail') this.#fail('listener-lost');
  }

  /** What the listener sent on its control channel is no answer. */
  refuseResponse(text: string): void {
    if (this.#phase === 'waiting') this.#fail('response-invalid', text);
  }

  /** The entity was deleted. */
  endWithEntity(reason: string): void {
    this.#rendezvous?.close(CLOSE_CODES.goingAway, reason);
    this.#fail('entity-missing');
  }

  /** See Faults.blackHole: never answered, never closed. */
  forget(): void {
    this.#rendezvous?.freeze();
    this.#request.message.pause();
    this.#leave();
  }

  onResponse(command: ResponseCommand): string | undefined {
    const fault = responseFault(command);
    if (fault !== undefined) return fault;
    this.#emit({ event: 'response', status: command.statusCode, inline: false });
    if (command.body) {
      this.#phase = 'answering';
      this.onProgress();
      this.#answer.begin(command);
    } else {
      this.#finish();
      this.#answer.send(command, EMPTY);
    }
    return undefined;
  }

  onBody(chunk: Buffer): void {
    this.onProgress();
    if (!this.#answer.write(chunk)) this.#rendezvous?.pause();
  }

  onComplete(): void {
    if (this.#phase === 'over') return;
    this.#finish();
    this.#answer.end();
  }

  /** What is awaited next has its whole time again. */
  onProgress(): void {
    const { bodyIdleMs, responseTimeoutMs } = this.#context.behaviour;
    if (this.#phase === 'answering') this.#limit(bodyIdleMs);
    else if (this.#phase === 'waiting')
      this.#limit(this.#rendezvous?.awaitsSender ? bodyIdleMs : responseTimeoutMs);
  }

  onViolation(text: string): void {
    this.#fail('response-invalid', text);
  }

  onLost(): void {
    this.#fail('listener-lost');
  }

  get #method(): string {
    return this.#request.message.method ?? '';
  }

  #choose(): ControlChannel | RelayCondition {
    const { entity } = this;
    const listener = this.#context.registry.choose(entity, this.#admission.choice);
    if (listener === undefined) return entity.listeners.length > 0 ? 'listener-filter' : 'no-listener';
    return listener.isBacklogged ? 'overload' : listener;
  }

  #offer(): void {
    this.#listener?.exchanges.delete(this);
    const listener = this.#choose();
    if (typeof listener === 'string') return this.#fail(listener);
    const wasOffered = this.#phase === 'waiting';
    this.#phase = 'waiting';
    this.#listener = listener;
    listener.exchanges.add(this);
    const command = this.#command(listener.asked);
    const text = formatRequest(command);
    const isWhole = !command.body || this.#body !== undefined;
    this.#inline = isWhole && Buffer.byteLength(text) <= CONTROL_MESSAGE_MAX_BYTES;
    if (!wasOffered) this.#limit(this.#context.behaviour.responseTimeoutMs);
    this.#emitRequest();
    if (this.#inline) listener.send(text, command.body ? this.#body : undefined);
    else listener.send(formatRequest({ address: command.address }));
  }

  #command(asked: Handshake['asked']): RequestCommand {
    const { target, message, remote } = this.#request;
    const { userQuery, rawPath } = target;
    const { addressScheme } = this.#context.behaviour;
    const { consumesAuthorization } = this.#admission;
    return {
      address: rendezvousAddress(addressScheme, asked, target, 'request', this.secretId),
      id: this.secretId,
      requestTarget: userQuery === '' ? rawPath : `${rawPath}?${userQuery}`,
      method: this.#method,
      remoteEndpoint: remote,
      requestHeaders: requestHeadersOf(message.rawHeaders, {
        viaHost: this.#request.asked.host,
        consumesAuthorization,
      }),
      body: announcedBytes(message) > 0,
    };
  }

  /** The answer is complete; what the sender has not taken yet leaves within the time for a piece of a body. */
  #finish(): void {
    this.#leave();
    this.#limit(this.#context.behaviour.bodyIdleMs);
  }

  /** The sender gets an error, or is cut off when it has the head of another answer. */
  #fail(condition: RelayCondition, detail?: string): void {
    if (this.#phase === 'over') return;
    this.#leave();
    this.#rendezvous?.close(CLOSE_CODES.goingAway, 'The request is over');
    if (this.#answer.hasBegun) return this.#cut(condition);
    // A body that is still on its way is read and dropped.
    this.#request.message.resume();
    refuseRequest(this.#context, this.#request, this.#response, condition, detail);
  }

  #cut(reason: string): void {
    this.#emit({ event: 'request-lost', reason });
    this.#answer.cut();
  }

  /** Nobody can answer any more. */
  #leave(): void {
    this.#phase = 'over';
    this.#cancelLimit();
    this.#listener?.exchanges.delete(this);
    this.#context.exchanges.delete(this.secretId);
  }

  #limit(limitMs: number): void {
    this.#cancelLimit();
    this.#cancelLimit = this.#context.timers.set(limitMs, this.#onLimit);
  }

  readonly #onLimit = (): void => {
    if (this.#phase === 'over') return this.#cut('the sender does not take its answer');
    const isSendersFault = this.#phase === 'gathering' || this.#rendezvous?.awaitsSender === true;
    this.#fail(isSendersFault ? 'request-timeout' : 'response-timeout');
  };

  readonly #onSenderGone = (): void => {
    this.#cancelLimit();
    if (this.#phase === 'over') return;
    this.#leave();
    this.#rendezvous?.close(CLOSE_CODES.goingAway, 'The sender closed its connection');
    this.#emit({ event: 'request-lost', reason: 'the sender closed its connection' });
  };

  readonly #onDelivered = (): void => {
    this.#cancelLimit();
    this.#request.message.socket.off('close', this.#onSenderGone);
  };

  readonly #onSenderDrain = (): void => {
    if (this.#phase !== 'answering') return;
    this.onProgress();
    this.#rendezvous?.resume();
  };

  #emitRequest(): void {
    const path = this.#request.target.rawPath;
    const { from: remote } = this.#request;
    this.#emit({ event: 'request', method: this.#method, path, remote, inline: this.#inline });
  }

  #emit(event: ExchangeEvent): void {
    this.#context.emit({ ...event, connection: this.entity.name, id: this.#request.trackingId });
  }
}

type ExchangeEvent =
  | { event: 'request'; method: string; path: string; remote: string; inline: boolean }
  | { event: 'response'; status: number; inline: boolean }
  | { event: 'request-lost'; reason: string };
