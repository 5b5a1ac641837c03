/** stdin and stdout as one end of a stream: an SSH ProxyCommand, a pipe in a script. */
import type { Readable, Writable } from 'node:stream';
import { randomUUID } from 'node:crypto';
import { closeSync, openSync } from 'node:fs';
import { devNull } from 'node:os';
import type { HcmError } from '../protocol/errors.ts';
import { HIGH_WATER_BYTES, type ByteEnd, type ByteEndEvents } from './byte-end.ts';
import type { LocalPortOptions } from './local-port.ts';
import type { Sender } from './sender.ts';
import { StreamSet } from './stream-set.ts';
import { WebSocketEnd } from './websocket-end.ts';
import { Cancellation, type CancelSignal } from '../websocket/cancel-signal.ts';

export interface StdioOptions extends LocalPortOptions {
  input: Readable;
  output: Writable;
  signal?: CancelSignal | undefined;
}

/**
 * Opens a stream and joins it with `input` and `output`; resolves when both directions have ended, with the error if
 * they did not end properly. Rejects with HcmError when the stream cannot be opened. A terminal at `input` is not
 * waited for once the listener's side has ended.
 */
export async function forwardStdio(sender: Sender, stdio: StdioOptions): Promise<HcmError | undefined> {
  const stream = randomUUID();
  sender.emit({ event: 'opening', stream });
  const startedMs = sender.clock.monotonicMs();
  const { open = (options) => sender.open(options), signal } = stdio;
  const { webSocket, port, relay = new WebSocketEnd(webSocket) } = await open({ stream, signal });
  const setupMs = Math.round(sender.clock.monotonicMs() - startedMs);
  sender.emit({ event: 'opened', stream, port, setupMs });
  const streams = new StreamSet(sender.clock, sender.emit, sender.options);
  const done = streams.add(stream, new StdioEnd(stdio.input, stdio.output), relay, webSocket);
  const onAbort = () => void streams.drain(0, new Set(), new Cancellation());
  stdio.signal?.addEventListener('abort', onAbort, { once: true });
  const error = await done;
  stdio.signal?.removeEventListener('abort', onAbort);
  return error;
}

class StdioEnd implements ByteEnd {
  readonly #input: Readable;
  readonly #output: Writable;
  #failure: Error | undefined;
  #events: ByteEndEvents | undefined;
  #inputEnded = false;
  #outputEnded = false;
  #closed = false;

  constructor(input: Readable, output: Writable) {
    this.#input = input;
    this.#output = output;
  }

  start(events: ByteEndEvents): void {
    this.#events = events;
    const fail = (error: Error) => this.reset(error);
    this.#input.on('data', (bytes: Buffer) => events.onBytes([bytes]));
    this.#input.once('end', () => this.#onInputEnd());
    this.#input.once('error', fail);
    this.#output.once('error', fail);
    this.#output.on('drain', () => events.onDrain());
  }

  write(chunks: readonly Buffer[]): boolean {
    this.#output.write(Buffer.concat(chunks));
    return this.#output.writableLength <= HIGH_WATER_BYTES;
  }

  end(): void {
    this.#output.end(() => {
      hangUp(this.#output);
      this.#outputEnded = true;
      if ((this.#input as { isTTY?: boolean }).isTTY) this.#onInputEnd();
      this.#finishIfEnded();
    });
  }

  reset(error: Error): void {
    this.#failure ??= error;
    this.#input.destroy();
    setImmediate(() => this.#close());
  }

  pause(): void {
    this.#input.pause();
  }

  resume(): void {
    this.#input.resume();
  }

  #onInputEnd(): void {
    if (this.#inputEnded) return;
    this.#inputEnded = true;
    this.#events?.onEnd();
    this.#finishIfEnded();
  }

  #finishIfEnded(): void {
    if (this.#inputEnded && this.#outputEnded) this.#close();
  }

  #close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#events?.onClosed(this.#failure);
  }
}

const STDOUT = 1;

/**
 * Lets the reader of a pipe see the end now: Node keeps the descriptor of process.stdout open until the process ends,
 * whatever is called. The number is given to the null device, lest the next socket gets it.
 */
function hangUp(output: Writable): void {
  const { fd, isTTY } = output as { fd?: unknown; isTTY?: boolean };
  if (fd !== STDOUT || isTTY) return;
  closeSync(STDOUT);
  openSync(devNull, 'w');
}
