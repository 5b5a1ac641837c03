/**
 * Reads a socket into large buffers of ours instead of one small allocation a read: 1.5 times the throughput, and
 * an idle stream holds no buffer at all.
 *
 * Node offers this (`onread`) only to sockets that it connects, and only at their creation. We switch any socket,
 * at any time, through the same three fields and the handle's `useUserBuffer`; where a Node version has them no
 * more, the ordinary 'data' events serve, slower. The next buffer is chosen only inside a read callback: the
 * handle may be filling the current one at any other time.
 *
 * idle: all sockets share one small buffer, and the consumer must be done with the bytes when its call returns.
 * bulk: a read that filled the buffer earns a large one. Over TLS, whose records arrive in 16 KiB pieces, the
 * pieces of one turn of the event loop are gathered there first: half the CPU.
 */
import { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { acquireBuffer, releaseBuffer } from './buffer-pool.ts';

/** Keeps the memory of the bytes being delivered until the returned function is called; undefined: it cannot be kept. */
export type Hold = () => (() => void) | undefined;

export interface SocketReaderOptions {
  /** Takes the next bytes. They are valid during the call, and after it only under a lease. May write to them. */
  onBytes(bytes: Buffer): void;
  /** The peer has ended its direction. */
  onEnd(): void;
}

const IDLE_BYTES = 64 * 1024;
const BULK_BYTES = 256 * 1024;
const TLS_RECORD_BYTES = 16 * 1024;
/** A plain read of this size or more is bulk; a smaller one ends it. */
const BULK_FROM_BYTES = 32 * 1024;
/** All bulk buffers of the process together: many busy streams share it, down to one small buffer each. */
const BULK_BUDGET_BYTES = 32 * 1024 * 1024;
const BULK_LEAST_BYTES = 64 * 1024;
/** What one socket reads before the others have their turn: libuv would go on for 32 full buffers. */
const TURN_BYTES = 1024 * 1024;

const idleBuffer = Buffer.allocUnsafeSlow(IDLE_BYTES);
let bulkBytesInUse = 0;

interface UserBufferFields {
  buffer: symbol;
  callback: symbol;
  generate: symbol;
}
interface ReadableHandle {
  useUserBuffer?: (buffer: Uint8Array) => void;
}
type PatchableSocket = Socket & { _handle?: ReadableHandle | null } & Record<symbol, unknown>;

const userBufferFields = findUserBufferFields();

/** The fields of net.Socket behind its `onread` option, by their names; undefined where Node has changed them. */
function findUserBufferFields(): UserBufferFields | undefined {
  const symbols = Object.getOwnPropertySymbols(new Socket());
  const named = (name: string) => symbols.find((symbol) => symbol.description === name);
  const [buffer, callback, generate] = [named('kBuffer'), named('kBufferCb'), named('kBufferGen')];
  return buffer && callback && generate ? { buffer, callback, generate } : undefined;
}

/** A bulk buffer that leases keep out of the pool until the last is released. */
class BulkBuffer {
  readonly memory: Buffer;
  #holders = 1;

  constructor(bytes: number) {
    this.memory = acquireBuffer(bytes);
    bulkBytesInUse += this.memory.length;
  }

  get leased(): boolean {
    return this.#holders > 1;
  }

  hold(): () => void {
    this.#holders += 1;
    let held = true;
    return () => {
      if (held) this.release();
      held = false;
    };
  }

  release(): void {
    this.#holders -= 1;
    if (this.#holders > 0) return;
    bulkBytesInUse -= this.memory.length;
    releaseBuffer(this.memory);
  }
}

export class SocketReader {
  readonly #socket: PatchableSocket;
  readonly #options: SocketReaderOptions;
  readonly #isTls: boolean;
  /** The buffer that the handle fills now; it changes in a read callback and nowhere else. */
  #current: Buffer = idleBuffer;
  #busy = false;
  #bulk: BulkBuffer | undefined;
  /** What was gathered in the bulk buffer and not yet handed on: [from, to). The handle fills it from `to` on. */
  #from = 0;
  #to = 0;
  #flushing: NodeJS.Immediate | undefined;
  #readInTurn = 0;
  #resting = false;
  #delivering = false;
  #pausedByOwner = false;

  constructor(socket: Socket, options: SocketReaderOptions) {
    this.#socket = socket as PatchableSocket;
    this.#options = options;
    this.#isTls = socket instanceof TLSSocket;
  }

  // `on`, not `once`, for what comes once anyway: `once` keeps three more objects for each open stream.

  /** Starts reading. `head` are bytes that were read from the socket already; they come first. */
  start(head?: Buffer): void {
    const onEnd = () => {
      this.#flush();
      this.#options.onEnd();
    };
    // A socket that nobody read may have ended already: 'end' does not wait for a listener.
    if (this.#socket.readableEnded) process.nextTick(onEnd);
    else this.#socket.on('end', onEnd);
    this.#socket.on('close', () => this.#release());
    const buffered = this.#takeOver();
    if (head && head.length > 0) this.#options.onBytes(head);
    if (buffered) this.#options.onBytes(buffered);
    if (!this.#pausedByOwner) this.resume();
  }

  /**
   * Inside `onBytes`: keeps the memory behind the bytes until the returned function is called. Undefined when they
   * are in a shared buffer: then the consumer must copy what it keeps.
   */
  lease(): (() => void) | undefined {
    return this.#delivering ? this.#bulk?.hold() : undefined;
  }

  pause(): void {
    this.#pausedByOwner = true;
    this.#socket.pause();
  }

  resume(): void {
    this.#pausedByOwner = false;
    if (!this.#socket.destroyed) this.#socket.resume();
  }

  /** Switches the socket to our buffers; returns what it had buffered itself. */
  #takeOver(): Buffer | undefined {
    const handle = this.#socket._handle;
    if (!userBufferFields || !handle?.useUserBuffer) {
      this.#socket.on('data', (bytes: Buffer) => this.#options.onBytes(bytes));
      return undefined;
    }
    this.#socket.pause();
    const buffered = this.#takeBuffered();
    this.#socket[userBufferFields.buffer] = this.#current;
    this.#socket[userBufferFields.generate] = () => this.#nextBuffer();
    this.#socket[userBufferFields.callback] = (count: number) => this.#filled(count);
    handle.useUserBuffer(this.#current);
    return buffered;
  }

  /** All of it: since Node 26 a read gives one of the chunks that came, no longer all of them joined. */
  #takeBuffered(): Buffer | undefined {
    const chunks: Buffer[] = [];
    for (let chunk; (chunk = this.#socket.read() as Buffer | null);) chunks.push(chunk);
    return chunks.length > 1 ? Buffer.concat(chunks) : chunks[0];
  }

  /** A read has put `count` bytes into the current buffer. Returns false to stop reading. */
  #filled(count: number): boolean {
    if (this.#bulk) {
      this.#to += count;
      if (this.#mayGather(count)) this.#flushing ??= setImmediate(() => this.#flush());
      else this.#flush();
    } else {
      this.#hand(this.#current.subarray(0, count));
    }
    this.#busy = count >= (this.#isTls ? TLS_RECORD_BYTES : BULK_FROM_BYTES);
    return this.#takeTurn(count) && !this.#socket.isPaused();
  }

  /** False: this socket has had its share, and reads on when the others have had theirs. */
  #takeTurn(count: number): boolean {
    this.#readInTurn += count;
    if (this.#readInTurn < TURN_BYTES) return true;
    if (!this.#resting) setImmediate(() => this.#endTurn());
    this.#resting = true;
    return false;
  }

  #endTurn(): void {
    this.#resting = false;
    this.#readInTurn = 0;
    if (!this.#pausedByOwner) this.resume();
  }

  /** A full TLS record promises more in this turn of the event loop; a short one, or a full buffer, does not wait. */
  #mayGather(count: number): boolean {
    const room = (this.#bulk?.memory.length ?? 0) - this.#to;
    return this.#isTls && count >= TLS_RECORD_BYTES && room >= TLS_RECORD_BYTES;
  }

  /** Hands on what was gathered. */
  #flush(): void {
    if (this.#flushing) clearImmediate(this.#flushing);
    this.#flushing = undefined;
    const { memory } = this.#bulk ?? {};
    const from = this.#from;
    this.#from = this.#to;
    if (memory && from < this.#to) this.#hand(memory.subarray(from, this.#to));
  }

  #hand(bytes: Buffer): void {
    if (this.#socket.destroyed) return;
    this.#delivering = true;
    try {
      this.#options.onBytes(bytes);
    } finally {
      this.#delivering = false;
    }
  }

  /** Asked by Node after each read callback: where the next bytes go. */
  #nextBuffer(): Buffer {
    this.#current = this.#chooseBuffer();
    return this.#current;
  }

  #chooseBuffer(): Buffer {
    if (this.#from < this.#to) return (this.#bulk as BulkBuffer).memory.subarray(this.#to);
    this.#from = this.#to = 0;
    if (!this.#busy || this.#bulk?.leased) this.#release();
    if (!this.#busy) return idleBuffer;
    this.#bulk ??= new BulkBuffer(bulkShare());
    return this.#bulk.memory;
  }

  #release(): void {
    if (this.#flushing) clearImmediate(this.#flushing);
    this.#flushing = undefined;
    this.#bulk?.release();
    this.#bulk = undefined;
  }
}

/** One bulk buffer's size now: the budget is shared by those in use. */
function bulkShare(): number {
  const left = Math.max(BULK_BUDGET_BYTES - bulkBytesInUse, 0);
  return left >= 8 * BULK_BYTES ? BULK_BYTES : left >= BULK_BYTES ? BULK_BYTES / 4 : BULK_LEAST_BYTES;
}
