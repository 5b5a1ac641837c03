/**
 * One attempt at a listener's control channel: dial, register, take commands, keep alive, renew the token. It ends
 * once, and it never tries again: reconnection has one owner, the listener.
 */
import { listenUrl } from '../protocol/addresses.ts';
import { describeClose } from '../protocol/close-reasons.ts';
import {
  formatRenewToken,
  parseServiceMessage,
  type AcceptCommand,
  type RequestCommand,
} from '../protocol/control-messages.ts';
import { HcmError } from '../protocol/errors.ts';
import { CONTROL_MESSAGE_MAX_BYTES, TOKEN_RENEW_FRACTION } from '../protocol/limits.ts';
import { CLOSE_NORMAL, OPCODE_BINARY, OPCODE_TEXT } from '../websocket/frame.ts';
import { MessageAssembler, type Message } from '../websocket/message-assembler.ts';
import type { WebSocket } from '../websocket/websocket.ts';
import type { Clock } from './clock.ts';
import { asHcmError, type Emit } from './emitter.ts';
import { KeepAlive } from './keep-alive.ts';
import { orAborted, withDeadline } from './network-errors.ts';
import type { Connection, KeepAliveMode } from './options.ts';
import type { RelayDialer } from './relay-dialer.ts';
import { upgrade } from './relay-socket.ts';
import type { Token, TokenProvider } from './token-provider.ts';
import type { CancelSignal } from '../websocket/cancel-signal.ts';

const HANDSHAKE_TIMEOUT_MS = 30_000;
/** The service keeps to 64 KiB; twice that is read, so that a larger message is an event and not a lost channel. */
const MESSAGE_MAX_BYTES = 2 * CONTROL_MESSAGE_MAX_BYTES;
/** Renewal comes up to this share of its time earlier, so that many listeners do not renew in step. */
const RENEW_JITTER_SHARE = 0.1;
/** A refused or failing token source is asked again after this long. */
const RENEW_RETRY_MS = 30_000;
const RENEW_LEAST_MS = 1_000;
const CLOSE_TIMEOUT_MS = 5_000;

export interface ControlChannelOptions {
  connection: Connection & { tokens: TokenProvider };
  /** The same over all attempts of a listener: Azure's listener selection knows it by this id. */
  id: string;
  dialer: RelayDialer;
  clock: Clock;
  random: () => number;
  keepAlive: KeepAliveMode;
  emit: Emit;
  onAccept(command: AcceptCommand): void;
  /**
   * An HTTP request. `body`: the binary message that followed it, which is the callee's from then on; undefined where none
   * was to follow, or something else came.
   */
  onRequest(command: RequestCommand, body: Buffer | undefined, channel: ControlChannel): void;
  signal: CancelSignal;
}

export class ControlChannel {
  /** Resolves with why it is over, once. Never rejects. */
  readonly ended: Promise<HcmError>;
  /** Our clock minus the relay's, in ms. */
  readonly skewMs: number | undefined;
  readonly #options: ControlChannelOptions;
  readonly #webSocket: WebSocket;
  readonly #keepAlive: KeepAlive;
  readonly #assembler = new MessageAssembler(MESSAGE_MAX_BYTES);
  /** A request whose body is the next message. */
  #awaitingBody: RequestCommand | undefined;
  /** Responses that wait for room. */
  readonly #waiting: (() => void)[] = [];
  #cancelRenewal: () => void = () => undefined;
  #cancelClose: () => void = () => undefined;
  #closedBy: HcmError | undefined;
  #over = false;

  /** Resolves when the relay has registered the listener. Rejects with HcmError. */
  static async open(options: ControlChannelOptions): Promise<ControlChannel> {
    const { connection, dialer, clock, id } = options;
    const { endpoint, path } = connection;
    const late = () =>
      new HcmError('HCM_CONNECT_TIMEOUT', `${endpoint.host} did not answer the registration in time`, {
        retryable: true,
      });
    return withDeadline(
      { clock, limitMs: HANDSHAKE_TIMEOUT_MS, late, signal: options.signal },
      async (signal) => {
        const token = await orAborted(connection.tokens.token({ host: endpoint.host, path }), signal);
        const socket = await dialer.dial(endpoint.host, endpoint.port, signal);
        const { webSocket, skewMs } = await upgrade(socket, listenUrl(endpoint, path, { id }), {
          role: 'listen',
          host: endpoint.host,
          path,
          nowMs: clock.nowMs(),
          headers: ['ServiceBusAuthorization', token.text],
          signal,
        });
        return new ControlChannel(options, webSocket, token, skewMs);
      },
    );
  }

  private constructor(
    options: ControlChannelOptions,
    webSocket: WebSocket,
    token: Token,
    skewMs: number | undefined,
  ) {
    this.#options = options;
    this.#webSocket = webSocket;
    this.skewMs = skewMs;
    this.#keepAlive = new KeepAlive(webSocket, {
      clock: options.clock,
      mode: options.keepAlive,
      strict: true,
      onDead: (error) => webSocket.destroy(error),
    });
    this.ended = new Promise((resolve) => this.#start(resolve));
    this.#renewBefore(token.expiresAtMs);
  }

  /** Deregisters. The relay has up to `limitMs` to close too; a second call may shorten that. */
  close(limitMs = CLOSE_TIMEOUT_MS): void {
    if (this.#over) return;
    this.#webSocket.close(CLOSE_NORMAL, 'Normal Closure');
    this.#cancelClose();
    if (limitMs <= 0) return this.#webSocket.destroy();
    const leftMs = Math.min(limitMs, CLOSE_TIMEOUT_MS);
    this.#cancelClose = this.#options.clock.setTimer(leftMs, () => this.#webSocket.destroy());
  }

  /**
   * Sends a response to a request, and its body right behind it: nothing may come between. Waits for room first. Resolves
   * with false when the channel was closed before.
   */
  async respond(json: string, body: Buffer | undefined): Promise<boolean> {
    const webSocket = this.#webSocket;
    while (webSocket.writable && !webSocket.hasRoom)
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    if (!webSocket.writable) return false;
    const text = Buffer.from(json);
    webSocket.cork(text.length + (body?.length ?? 0));
    webSocket.send(text, OPCODE_TEXT);
    if (body) webSocket.send(body, OPCODE_BINARY);
    webSocket.uncork();
    return true;
  }

  /** The machine slept or its clock jumped: the token may be stale and the peer gone. */
  refresh(): void {
    this.#keepAlive.checkNow();
    void this.#renew();
  }

  #start(resolve: (error: HcmError) => void): void {
    this.#webSocket.start({
      onFragment: (payload, opcode, _first, last) => {
        const message = this.#assembler.add(payload, opcode, last);
        if (message) this.#onMessage(message);
      },
      onClose: (code, reason) => {
        this.#closedBy = closedByRelay(code, reason);
        if (this.#webSocket.writable) this.close();
      },
      onPong: () => this.#keepAlive.onPong(),
      onDrain: () => this.#wake(),
      onEnd: (error) => {
        this.#over = true;
        this.#wake();
        this.#keepAlive.stop();
        this.#cancelRenewal();
        this.#cancelClose();
        resolve(this.#closedBy ?? channelLost(error));
      },
    });
  }

  /** A body belongs to the message before it. One that nothing announced is ignored, as .NET does. */
  #onMessage(message: Message): void {
    const waiting = this.#awaitingBody;
    this.#awaitingBody = undefined;
    if (waiting)
      this.#options.onRequest(waiting, message.kind === 'binary' ? message.bytes : undefined, this);
    if (message.kind === 'text') this.#onCommand(message.text);
  }

  /** What is not understood is ignored, as .NET does. */
  #onCommand(text: string): void {
    const command = parseServiceMessage(text);
    if (command.kind === 'accept') this.#options.onAccept(command);
    else if (command.kind !== 'request') return;
    else if (command.body === true) this.#awaitingBody = command;
    else this.#options.onRequest(command, undefined, this);
  }

  #wake(): void {
    for (const go of this.#waiting.splice(0)) go();
  }

  #renewBefore(expiresAtMs: number): void {
    const { clock, connection, random } = this.#options;
    if (!connection.tokens.renewable || this.#over) return;
    const leftMs = (expiresAtMs - clock.nowMs()) * TOKEN_RENEW_FRACTION;
    const delayMs = Math.max(leftMs * (1 - RENEW_JITTER_SHARE * random()), RENEW_LEAST_MS);
    this.#cancelRenewal();
    this.#cancelRenewal = clock.setTimer(delayMs, () => void this.#renew());
  }

  async #renew(): Promise<void> {
    const { connection, clock, emit } = this.#options;
    const { endpoint, path, tokens } = connection;
    if (!tokens.renewable || this.#over) return;
    try {
      const token = await tokens.token({ host: endpoint.host, path });
      if (!this.#webSocket.writable) return;
      this.#webSocket.send(Buffer.from(formatRenewToken(token.text)), OPCODE_TEXT);
      emit({ event: 'token-renewed', expiresAt: new Date(token.expiresAtMs).toISOString() });
      this.#renewBefore(token.expiresAtMs);
    } catch {
      // The old token still serves; the channel's end, if it comes to that, says why.
      this.#cancelRenewal();
      if (!this.#over) this.#cancelRenewal = clock.setTimer(RENEW_RETRY_MS, () => void this.#renew());
    }
  }
}

function closedByRelay(code: number | undefined, reason: string): HcmError {
  const described = describeClose(code ?? 1005, reason);
  return new HcmError(described.code ?? 'HCM_CONNECTION_LOST', described.text, {
    retryable: true,
    details: { closeCode: code ?? 1005, reason },
  });
}

function channelLost(error: Error | undefined): HcmError {
  if (error) return asHcmError(error);
  return new HcmError('HCM_CONNECTION_LOST', 'The control channel was closed', { retryable: true });
}
