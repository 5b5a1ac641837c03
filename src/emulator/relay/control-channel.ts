/**
 * One listener's control channel, open: sends it the senders to accept and the HTTP requests to answer, takes its
 * responses, renews its token, and ends it when the token runs out or its entity goes. Registered with its entity from
 * the constructor until `leave`, which happens once.
 */
import { CLOSE_CODES } from '../../protocol/close-reasons.ts';
import { parseListenerMessage, type ResponseCommand } from '../../protocol/control-messages.ts';
import { stripGateway } from '../../protocol/tracking.ts';
import { relayAnswer } from '../../protocol/relay-answers.ts';
import { OPCODE_TEXT } from '../../websocket/frame.ts';
import { MessageAssembler, type Message } from '../../websocket/message-assembler.ts';
import { WebSocket } from '../../websocket/websocket.ts';
import { authorize } from './authorize.ts';
import type { EmulatorEventBody } from '../events.ts';
import type { RelayContext, RelayEntity } from './context.ts';
import type { AskedHost, Handshake } from './handshake.ts';
import type { HeldSender } from './held-sender.ts';
import type { Exchange } from './http/exchange.ts';

/** A listener's JSON is at most 64 KiB; a binary body beside it as much. Generous. */
const MESSAGE_MAX_BYTES = 256 * 1024;
/** What a listener gets to answer our Close, in ms. */
const CLOSE_TIMEOUT_MS = 5_000;
/** More than this waiting for a listener that does not read, and it gets no more requests. */
const BACKLOG_MAX_BYTES = 4 * 1024 * 1024;
const EMPTY = Buffer.alloc(0);

export class ControlChannel {
  /** What the listener calls itself (`sb-hc-id`), or what we called it. */
  readonly id: string;
  readonly entity: RelayEntity;
  /** The relay as this listener reaches it: its rendezvous addresses point there. */
  readonly asked: AskedHost;
  /** Senders that this listener has been told of and that nobody has accepted yet. */
  readonly offered = new Set<HeldSender>();
  /** HTTP requests that this listener has been told of and that are not answered yet. */
  readonly exchanges = new Set<Exchange>();

  readonly #context: RelayContext;
  readonly #handshake: Handshake;
  readonly #webSocket: WebSocket;
  #expiresAtMs: number;
  #cancelExpiry: () => void = () => undefined;
  #registered = true;
  #frozen = false;
  /** A response whose body is the next message. */
  #unfinished: ResponseCommand | undefined;

  /** The handshake must have been accepted. */
  constructor(context: RelayContext, handshake: Handshake, entity: RelayEntity, expiresAtMs: number) {
    this.#context = context;
    this.#handshake = handshake;
    this.id = stripGateway(handshake.trackingId);
    this.entity = entity;
    this.asked = handshake.asked;
    this.#expiresAtMs = expiresAtMs;
    this.#webSocket = new WebSocket(handshake.socket, { role: 'server', head: handshake.rest });
    entity.listeners.push(this);
    context.channels.add(this);
    this.#emit({ event: 'listener-online', remote: handshake.from, listeners: entity.listeners.length });
  }

  /** Starts to read; ends by itself when the listener goes. */
  start(): void {
    this.#watchExpiry();
    const assembler = new MessageAssembler(MESSAGE_MAX_BYTES);
    this.#webSocket.start({
      onFragment: (payload, opcode, _first, last) => {
        const message = assembler.add(payload, opcode, last);
        if (message !== undefined) this.#onMessage(message);
      },
      onClose: (code, reason) => {
        this.#leave(code, reason);
        this.#webSocket.close(code);
      },
      onDrain: () => undefined,
      onEnd: (error) => {
        this.#leave(undefined, error?.message ?? '');
        this.#context.channels.delete(this);
      },
    });
  }

  /** Sends a control message and, right behind it, the body that belongs to it: nothing can come between them. */
  send(text: string, body?: Buffer): void {
    if (this.#frozen) return;
    this.#webSocket.send(Buffer.from(text), OPCODE_TEXT);
    if (body !== undefined) this.#webSocket.send(body);
  }

  get isBacklogged(): boolean {
    return this.#handshake.socket.writableLength > BACKLOG_MAX_BYTES;
  }

  /** Ends the channel with a Close; its senders go to other listeners. */
  close(code: number, reason: string): void {
    this.#leave(code, reason);
    this.#webSocket.close(code, reason);
    this.#context.timers.set(CLOSE_TIMEOUT_MS, () => this.#webSocket.destroy());
  }

  /** Ends the channel as a network does: without a word. */
  cut(): void {
    this.#leave(undefined, 'cut');
    this.#webSocket.destroy();
  }

  /** See Faults.blackHole. The listener stays registered, as it would at the service. */
  freeze(): void {
    this.#frozen = true;
    this.#webSocket.pause();
  }

  get frozen(): boolean {
    return this.#frozen;
  }

  #onMessage(message: Message): void {
    const unfinished = this.#unfinished;
    this.#unfinished = undefined;
    if (message.kind === 'binary') return this.#onBinary(unfinished, message.bytes);
    if (unfinished !== undefined) {
      this.#exchange(unfinished.requestId)?.refuseResponse('a text message came instead of the body');
    }
    const parsed = parseListenerMessage(message.text);
    switch (parsed.kind) {
      case 'renewToken':
        return this.#renew(parsed.token);
      case 'response':
        if (parsed.body) this.#unfinished = parsed;
        else this.#answer(parsed, EMPTY);
        return;
      case 'unknown':
        return this.#ignore(`an unknown message: ${parsed.keys.join(', ')}`.slice(0, 200));
      case 'malformed':
        this.#exchange(parsed.requestId)?.refuseResponse(parsed.reason);
        return this.#ignore(parsed.reason);
    }
  }

  #onBinary(unfinished: ResponseCommand | undefined, body: Buffer): void {
    if (unfinished !== undefined) this.#answer(unfinished, body);
    // hyco-https sends an empty message even when it has announced none.
    else if (body.length > 0) this.#ignore('a binary message');
  }

  #answer(response: ResponseCommand, body: Buffer): void {
    const exchange = this.#exchange(response.requestId);
    if (exchange === undefined) this.#ignore('a response to no request');
    else exchange.answer(response, body);
  }

  /** What waits for this response. A listener that has come back answers on its new channel what it read on the old. */
  #exchange(requestId: string | undefined): Exchange | undefined {
    const exchange = requestId === undefined ? undefined : this.#context.exchanges.get(requestId);
    return exchange?.entity === this.entity ? exchange : undefined;
  }

  #ignore(reason: string): void {
    this.#emit({ event: 'message-ignored', reason });
  }

  /** Success is silent. */
  #renew(token: string): void {
    if (!this.#registered) return;
    const { faults, registry } = this.#context;
    const { host } = this.asked;
    const { path } = this.#handshake.target;
    const resolution = registry.resolve(host, path);
    const verdict = authorize(this.#context, resolution, this.asked, path, { token }, ['Listen']);
    if (faults.refuseRenewals) return this.#expel('Token renewal was refused by a fault of the emulator');
    if (!verdict.ok) return this.#expel(relayAnswer(verdict.condition).sentence);
    this.#expiresAtMs = verdict.expiresAtMs;
    this.#watchExpiry();
    this.#emit({ event: 'token-renewed', expiresAt: new Date(verdict.expiresAtMs).toISOString() });
  }

  /** An expired token ends the channel only after a grace: Microsoft's clients renew when it has expired. */
  #watchExpiry(): void {
    this.#cancelExpiry();
    const { timers, behaviour } = this.#context;
    const leftMs = this.#expiresAtMs + behaviour.tokenGraceMs - this.#context.nowMs();
    this.#cancelExpiry = timers.set(leftMs, () => this.#expel(relayAnswer('token-expired').sentence));
  }

  #expel(sentence: string): void {
    this.close(
      CLOSE_CODES.policyViolation,
      `${sentence.replace(/\.$/, '')}. TrackingId:${this.#handshake.trackingId}`,
    );
  }

  #leave(code: number | undefined, reason: string): void {
    if (!this.#registered) return;
    this.#registered = false;
    this.#cancelExpiry();
    this.entity.leave(this);
    this.#emit({ event: 'listener-offline', listeners: this.entity.listeners.length, code, reason });
    for (const sender of [...this.offered]) sender.offer();
    for (const exchange of [...this.exchanges]) exchange.listenerLeft();
  }

  #emit(event: DistributiveOmit<EmulatorEventBody, 'connection' | 'listener'>): void {
    this.#context.emit({ ...event, connection: this.entity.name, listener: this.id } as EmulatorEventBody);
  }
}

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;
