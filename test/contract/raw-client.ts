/**
 * A client that is nothing but a TLS socket: it writes its handshake by hand and shows every byte that comes back,
 * for what no WebSocket library lets through (half-close, fragments, the loss of a connection).
 */
import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect, type ConnectionOptions } from 'node:tls';
import { rawFrame, type RawFrame } from '../helpers/frames.ts';
import { until } from '../helpers/until.ts';

const MASK = Buffer.from([0x37, 0xfa, 0x21, 0x3d]);
const SOME_KEY = 'dGhlIHNhbXBsZSBub25jZQ==';

export interface RawAnswer {
  readonly statusLine: string;
  readonly status: number;
  readonly reason: string;
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string[]>;
}

export interface ReceivedFrame {
  readonly fin: boolean;
  readonly opcode: number;
  readonly payload: Buffer;
}

const opened = new Set<Socket>();

/** To be called inside `describe`. */
export function closeRawClientsAfterEach(): void {
  afterEach(async () => {
    const all = [...opened];
    opened.clear();
    for (const socket of all) socket.destroy();
    await until(() => all.every(({ closed }) => closed), 'the end of the raw clients');
  });
}

export class RawClient {
  readonly socket: Socket;
  /** All that was received and not yet taken. */
  received: Buffer = Buffer.alloc(0);
  /** Set when the other side has ended, or the connection is gone. */
  ended = false;

  static async connect(relay: { port: number; ca: string | undefined }, options: ConnectionOptions = {}) {
    const where = { host: '127.0.0.1', port: relay.port, allowHalfOpen: true };
    const socket = relay.ca
      ? connect({ servername: 'localhost', ca: relay.ca, ...where, ...options } as ConnectionOptions)
      : connectTcp(where);
    const client = new RawClient(socket);
    await once(socket, relay.ca ? 'secureConnect' : 'connect');
    return client;
  }

  private constructor(socket: Socket) {
    this.socket = socket;
    opened.add(socket);
    socket.on('data', (bytes: Buffer) => (this.received = Buffer.concat([this.received, bytes])));
    socket.on('error', () => (this.ended = true));
    socket.on('end', () => (this.ended = true)).on('close', () => (this.ended = true));
  }

  /** Writes an upgrade request; does not wait for the answer. */
  ask(target: string, headers: readonly string[] = [], host = 'localhost'): void {
    const lines = [
      `GET ${target} HTTP/1.1`,
      ...(host === '' ? [] : [`Host: ${host}`]),
      ...['Upgrade: websocket', 'Connection: Upgrade', `Sec-WebSocket-Key: ${SOME_KEY}`],
      ...['Sec-WebSocket-Version: 13', ...headers],
    ];
    this.socket.write(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
  }

  /** The head of the answer. What follows it stays in `received`. */
  async answer(): Promise<RawAnswer> {
    await until(() => this.received.includes('\r\n\r\n') || this.ended, 'an answer');
    const end = this.received.indexOf('\r\n\r\n');
    if (end < 0) throw new Error(`the connection ended after ${this.received.length} bytes`);
    const [statusLine = '', ...lines] = this.received.toString('latin1', 0, end).split('\r\n');
    this.received = this.received.subarray(end + 4);
    const headers = new Map<string, string[]>();
    for (const line of lines) {
      const [, name = '', value = ''] = /^([^:]+): ?(.*)$/.exec(line) ?? [];
      headers.set(name.toLowerCase(), [...(headers.get(name.toLowerCase()) ?? []), value]);
    }
    const [, status = '0', reason = ''] = /^HTTP\/1\.1 (\d{3}) (.*)$/.exec(statusLine) ?? [];
    return { statusLine, status: Number(status), reason, headers };
  }

  /** Sends frames in one write, masked as a client must. */
  send(...frames: RawFrame[]): void {
    this.socket.write(Buffer.concat(frames.map((frame) => rawFrame({ mask: MASK, ...frame }))));
  }

  /** The next frame from the relay. */
  async frame(): Promise<ReceivedFrame> {
    let found = readFrame(this.received);
    await until(() => (found = readFrame(this.received)) !== undefined || this.ended, 'a frame');
    if (found === undefined) throw new Error('the connection ended without a frame');
    this.received = this.received.subarray(found.bytes);
    return { fin: found.fin, opcode: found.opcode, payload: Buffer.from(found.payload) };
  }

  /** The payload of the next message, put together; also how many frames it had. */
  async message(): Promise<{ opcode: number; payload: Buffer }> {
    const frames = [await this.frame()];
    while (!frames.at(-1)?.fin) frames.push(await this.frame());
    return { opcode: frames[0]?.opcode ?? -1, payload: Buffer.concat(frames.map(({ payload }) => payload)) };
  }

  /** Resolves when the connection is over; what came before stays in `received`. */
  async end(): Promise<void> {
    await until(() => this.ended, 'the end of the connection');
  }
}

function readFrame(bytes: Buffer): (ReceivedFrame & { bytes: number }) | undefined {
  if (bytes.length < 2) return undefined;
  const [first = 0, second = 0] = bytes;
  if (second & 0x80) throw new Error('the relay masked a frame');
  if (first & 0x70) throw new Error('the relay set a reserved bit');
  const extended = second === 126 ? 2 : second === 127 ? 8 : 0;
  if (bytes.length < 2 + extended) return undefined;
  const length =
    extended === 0 ? second : extended === 2 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
  const end = 2 + extended + length;
  if (bytes.length < end) return undefined;
  return {
    fin: (first & 0x80) !== 0,
    opcode: first & 0x0f,
    payload: bytes.subarray(2 + extended, end),
    bytes: end,
  };
}
