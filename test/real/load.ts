// Traffic while something happens: new connections again and again, and long streams whose every byte is checked.
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { askOnce } from './manager-bed.ts';

/** Enough traffic that something is always under way, little enough that two slow cores have time for the rest. */
const PACE_MS = 20;
const BLOCK_BYTES = 16 * 1024;

export interface Asked {
  readonly startedMs: number;
  readonly endedMs: number;
  readonly error?: string;
}

/** Asks `port` again and again, several at a time, until it is stopped. */
export class NewConnections {
  readonly asked: Asked[] = [];
  readonly #workers: Promise<void>[];
  #stopped = false;

  /** `answer`: what each must get. */
  constructor(port: number, answer: string, workers = 4) {
    this.#workers = Array.from({ length: workers }, () => this.#work(port, answer));
  }

  async stop(): Promise<readonly Asked[]> {
    this.#stopped = true;
    await Promise.all(this.#workers);
    return this.asked;
  }

  async #work(port: number, answer: string): Promise<void> {
    while (!this.#stopped) {
      const startedMs = performance.now();
      const error = await askOnce(port, 'hello').then(
        (bytes) => (String(bytes) === answer ? undefined : `answered "${String(bytes).slice(0, 80)}"`),
        (reason: Error) => reason.message,
      );
      this.asked.push({ startedMs, endedMs: performance.now(), ...(error === undefined ? {} : { error }) });
      await delay(PACE_MS);
    }
  }
}

/** A stream to an echo that says `greeting` first; sends all the time, and compares what comes back. */
export class LongStream {
  /** Resolves when it is over: undefined when every byte came back and both directions ended. */
  readonly over: Promise<string | undefined>;
  readonly #socket: Socket;
  readonly #sent = createHash('sha256');
  readonly #received = createHash('sha256');
  readonly #greeting: string;
  #sentBytes = 0;
  #receivedBytes = 0;
  #finishing = false;

  /** Resolves when the first bytes have come back. */
  static async open(port: number, greeting: string): Promise<LongStream> {
    const stream = new LongStream(connect({ host: '127.0.0.1', port, allowHalfOpen: true }), greeting);
    while (stream.#receivedBytes === 0) {
      const failure = await Promise.race([once(stream.#socket, 'data').then(() => undefined), stream.over]);
      if (failure !== undefined) throw new Error(failure);
    }
    return stream;
  }

  private constructor(socket: Socket, greeting: string) {
    this.#socket = socket;
    this.#greeting = greeting;
    this.#sent.update(greeting);
    socket.on('data', (chunk: Buffer) => {
      this.#received.update(chunk);
      this.#receivedBytes += chunk.length;
    });
    this.over = this.#outcome();
    void this.#send();
  }

  get receivedBytes(): number {
    return this.#receivedBytes;
  }

  /** Ends its direction; `over` tells the rest. */
  finish(): Promise<string | undefined> {
    this.#finishing = true;
    return this.over;
  }

  cut(): void {
    this.#socket.destroy();
  }

  async #send(): Promise<void> {
    const socket = this.#socket;
    while (!this.#finishing && !socket.destroyed) {
      const block = randomBytes(BLOCK_BYTES);
      this.#sent.update(block);
      this.#sentBytes += block.length;
      if (!socket.write(block))
        await Promise.race([once(socket, 'drain'), once(socket, 'close')]).catch(ignore);
      await delay(PACE_MS);
    }
    socket.end();
  }

  async #outcome(): Promise<string | undefined> {
    const ended = once(this.#socket, 'end').then(() => undefined);
    const failed = once(this.#socket, 'close').then(() => 'it was cut');
    const failure = await Promise.race([ended, failed]).catch((error: Error) => error.message);
    this.#socket.destroy();
    if (failure !== undefined) return failure;
    const wanted = this.#sentBytes + this.#greeting.length;
    if (this.#receivedBytes !== wanted) return `${this.#receivedBytes} of ${wanted} bytes came back`;
    return this.#sent.digest('hex') === this.#received.digest('hex') ? undefined : 'other bytes came back';
  }
}

function ignore(): void {}
