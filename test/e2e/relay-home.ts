// A home with an emulator that runs for a whole test file, and what talks through it.
import { writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { HcmHome, type HcmProcess, type Line } from './hcm-process.ts';

export interface ConnectionStrings {
  name: string;
  listenerConnectionString: string;
  senderConnectionString: string;
}

export class RelayHome extends HcmHome {
  emulator!: HcmProcess;
  ready!: Line;

  async startEmulator(...connections: string[]): Promise<void> {
    const named = connections.flatMap((name) => ['--connection', name]);
    this.emulator = this.start(['emulator', 'start', '--port', '0', '--ephemeral', '--json', ...named]);
    this.ready = await this.emulator.event('ready');
    for (const { name, listenerConnectionString, senderConnectionString } of this.connections) {
      writeFileSync(this.path(`${name}-listen.txt`), listenerConnectionString, { mode: 0o600 });
      writeFileSync(this.path(`${name}-send.txt`), senderConnectionString, { mode: 0o600 });
    }
  }

  get connections(): ConnectionStrings[] {
    return this.ready['connections'] as ConnectionStrings[];
  }

  /** A listener that is online. */
  async listen(name: string, target: Server | number, ...args: string[]): Promise<HcmProcess> {
    const port = typeof target === 'number' ? target : portOf(target);
    const file = this.path(`${name}-listen.txt`);
    const listener = this.start([
      ...['listen', '--connection-string-file', file, '--target', `127.0.0.1:${port}`, '--json'],
      ...args,
    ]);
    await listener.event('online');
    return listener;
  }

  /** A bound forward, and its port. */
  async forward(name: string, ...args: string[]): Promise<{ process: HcmProcess; port: number }> {
    const file = this.path(`${name}-send.txt`);
    const process = this.start(['forward', '--connection-string-file', file, '--json', ...args]);
    const { bind } = await process.event('ready');
    return { process, port: Number(String(bind).split(':').at(-1)) };
  }
}

/** A server on a free port; `serve` gets each client. */
export async function startServer(serve: (socket: Socket) => void): Promise<Server> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => undefined);
    serve(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

export function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

/** Answers what came once all of it has come: only half-close lets that arrive. */
export function answerReversed(socket: Socket): void {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.on('end', () => socket.end(Buffer.concat(chunks).reverse()));
}

/** Sends, half-closes, and resolves with the answer; rejects when the connection breaks. */
export function ask(port: number, question: string | Buffer, host = '127.0.0.1'): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect({ host, port, allowHalfOpen: true });
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.once('error', reject);
    socket.once('end', () => {
      socket.destroy();
      resolve(Buffer.concat(chunks));
    });
    socket.end(question);
  });
}

/** A connected client. */
export function client(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true }, () => resolve(socket));
    socket.once('error', reject);
  });
}
