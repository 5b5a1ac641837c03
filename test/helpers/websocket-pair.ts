/** Two of our WebSockets on one loopback connection, and a handler that writes down what comes. */
import type { Socket } from 'node:net';
import { OPCODE_TEXT, type DataOpcode } from '../../src/websocket/frame.ts';
import { WebSocket, type WebSocketHandler, type WebSocketOptions } from '../../src/websocket/websocket.ts';
import { socketPair, type Transport } from './socket-pair.ts';
import { until } from './until.ts';

/** Joins fragments to messages. Waits are for what has come already or comes later. */
export class Recorder implements WebSocketHandler {
  /** Whole messages, as `text:…` or `binary:<hex>`. */
  readonly messages: string[] = [];
  /** One entry a fragment: its size, and whether it began and ended a message. */
  readonly fragments: { bytes: number; first: boolean; last: boolean }[] = [];
  readonly closes: { code: number | undefined; reason: string }[] = [];
  readonly pongs: string[] = [];
  readonly ends: (Error | undefined)[] = [];
  drains = 0;
  bytes = 0;
  #parts: Buffer[] = [];

  onFragment(payload: Buffer, opcode: DataOpcode, first: boolean, last: boolean): void {
    this.bytes += payload.length;
    this.fragments.push({ bytes: payload.length, first, last });
    this.#parts.push(Buffer.from(payload));
    if (!last) return;
    const message = Buffer.concat(this.#parts);
    this.#parts = [];
    this.messages.push(
      opcode === OPCODE_TEXT ? `text:${message.toString()}` : `binary:${message.toString('hex')}`,
    );
  }
  onClose(code: number | undefined, reason: string): void {
    this.closes.push({ code, reason });
  }
  onDrain(): void {
    this.drains += 1;
  }
  onPong(payload: Buffer): void {
    this.pongs.push(payload.toString());
  }
  onEnd(error: Error | undefined): void {
    this.ends.push(error);
  }
  /** Resolves with what `onEnd` was given. */
  async ended(): Promise<Error | undefined> {
    await until(() => this.ends.length > 0, 'the end of the connection');
    return this.ends[0];
  }
}

export interface WebSocketPair {
  client: WebSocket;
  server: WebSocket;
  clientSocket: Socket;
  serverSocket: Socket;
}

/** Neither is started. */
export async function webSocketPair(
  transport: Transport = 'plain',
  options: Omit<WebSocketOptions, 'role'> = {},
): Promise<WebSocketPair> {
  const sockets = await socketPair(transport);
  return {
    client: new WebSocket(sockets.client, { ...options, role: 'client' }),
    server: new WebSocket(sockets.server, { ...options, role: 'server' }),
    clientSocket: sockets.client,
    serverSocket: sockets.server,
  };
}
