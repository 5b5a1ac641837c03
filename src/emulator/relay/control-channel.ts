/**
 * One listener's control channel, open: sends it the senders to accept, renews its token, and ends it when the token
 * runs out or its entity goes. Registered with its entity from the constructor until `leave`, which happens once.
 */
import { CLOSE_CODES } from '../../protocol/close-reasons.ts';
import { parseListenerMessage } from '../../protocol/control-messages.ts';
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

/** A listener's JSON is at most 64 KiB; a binary body beside it as much. Generous. */
const MESSAGE_MAX_BYTES = 256 * 1024;
/** What a listener gets to answer our Close, in ms. */
const CLOSE_TIMEOUT_MS = 5_000;

export class ControlChannel {
  /** What the listener calls itself (`sb-hc-id`), or what we called it. */
  readonly id: string;
  readonly entity: RelayEntity;
  /** The relay as this listener reaches it: its rendezvous addresses point there. */
  readonly asked: AskedHost;
  /** Senders that this listener has been told of and that nobody has accepted yet. */
  readonly offered = new Set<HeldSender>();

  readonly #context: RelayContext;
  readonly #handshake: Handshake;
  readonly #webSocket: WebSocket;
  #expiresAtMs: number;
  #cancelExpiry: () => void = () => undefined;
  #registered = true;
  #frozen = false;

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

  /**
   * Sends one control message. Messages that belong together (a request and its body) are sent by one synchronous call
   * each after the other: nothing can come between them, and no lock is needed.
   */
  send(text: string): void {
    if (!this.#frozen) this.#webSocket.send(Buffer.from(text), OPCODE_TEXT);
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
    if (message.kind === 'binary') return this.#ignore('a binary message');
    const parsed = parseListenerMessage(message.text);
    switch (parsed.kind) {
      case 'renewToken':
        return this.#renew(parsed.token);
      case 'response':
        return this.#ignore('a response to no request');
      case 'unknown':
        return this.#ignore(`an unknown message: ${parsed.keys.join(', ')}`.slice(0, 200));
      case 'malformed':
        return this.#ignore(parsed.reason);
    }
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
  }

  #emit(event: DistributiveOmit<EmulatorEventBody, 'connection' | 'listener'>): void {
    this.#context.emit({ ...event, connection: this.entity.name, listener: this.id } as EmulatorEventBody);
  }
}

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;
