/**
 * Finds a dead peer and keeps the path open: the relay's front ends cut a connection after about four silent
 * minutes. Pings are answered by the relay itself, so a missing Pong means that the relay is gone.
 *
 * A stream is different when data is under way: a Ping waits behind it, and a slow reader at the far end would look
 * like a dead relay. There only a Ping that nothing was sent before is taken as proof; else TCP must notice.
 */
import { HcmError } from '../protocol/errors.ts';
import { KEEPALIVE_INTERVAL_MS, KEEPALIVE_TIMEOUT_MS } from '../protocol/limits.ts';
import type { WebSocket } from '../websocket/websocket.ts';
import type { Clock } from './clock.ts';
import type { KeepAliveMode } from './options.ts';

const NOTHING = Buffer.alloc(0);

export interface KeepAliveOptions {
  clock: Clock;
  mode: KeepAliveMode;
  /** Nothing but small messages crosses this WebSocket: every unanswered Ping counts. */
  strict: boolean;
  onDead(error: HcmError): void;
}

function ignore(): void {}

export class KeepAlive {
  readonly #webSocket: WebSocket;
  readonly #options: KeepAliveOptions;
  #cancel: () => void = ignore;
  #waitingForPong = false;
  #readAtPing = 0;
  /** `bytesWritten` when all of it was known to have arrived. */
  #arrived = 0;
  #writtenAtPing = 0;

  constructor(webSocket: WebSocket, options: KeepAliveOptions) {
    this.#webSocket = webSocket;
    this.#options = options;
    this.#arrived = webSocket.bytesWritten;
    this.#schedule();
  }

  /** The owner passes on each Pong. */
  onPong(): void {
    if (!this.#waitingForPong) return;
    this.#waitingForPong = false;
    this.#arrived = this.#writtenAtPing;
    this.#cancel();
    this.#schedule();
  }

  /** Asks now instead of at the next turn: after the machine slept. */
  checkNow(): void {
    if (this.#waitingForPong || this.#options.mode !== 'ping') return;
    this.#cancel();
    this.#beat();
  }

  stop(): void {
    this.#cancel();
  }

  #schedule(): void {
    if (this.#options.mode === 'off') return;
    this.#cancel = this.#options.clock.setTimer(KEEPALIVE_INTERVAL_MS, () => this.#beat());
  }

  #beat(): void {
    if (this.#options.mode === 'pong') {
      this.#webSocket.pong(NOTHING);
      return this.#schedule();
    }
    const idle = this.#webSocket.bytesWritten === this.#arrived;
    this.#waitingForPong = true;
    this.#readAtPing = this.#webSocket.bytesRead;
    this.#webSocket.ping(NOTHING);
    this.#writtenAtPing = this.#webSocket.bytesWritten;
    this.#cancel = this.#options.clock.setTimer(KEEPALIVE_TIMEOUT_MS, () => this.#onSilence(idle));
  }

  #onSilence(idle: boolean): void {
    const alive = this.#webSocket.bytesRead !== this.#readAtPing || this.#webSocket.paused;
    if (alive || !(idle || this.#options.strict)) {
      this.#readAtPing = this.#webSocket.bytesRead;
      this.#cancel = this.#options.clock.setTimer(KEEPALIVE_INTERVAL_MS, () => this.#onSilence(idle));
      return;
    }
    const text = `The relay did not answer a Ping within ${KEEPALIVE_TIMEOUT_MS / 1000} s`;
    this.#options.onDead(new HcmError('HCM_KEEPALIVE_TIMEOUT', text, { retryable: true }));
  }
}
