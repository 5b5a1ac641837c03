/**
 * The TCP connections of the emulator, whatever is spoken on them: listens on one port, on both loopback addresses
 * where the host is the default, and knows every socket, so that none outlives the emulator.
 */
import { createServer, type Server, type Socket } from 'node:net';
import { HcmError } from '../../protocol/errors.ts';

export const DEFAULT_HOST = '127.0.0.1';
const V6_LOOPBACK = '::1';
/** A free IPv4 port may be taken on IPv6: so many are tried. */
const PORT_TRIES = 20;
/** IPv6 is switched off, or the machine has no `::1`: nobody can come that way. */
const NO_SUCH_ADDRESS = new Set(['EADDRNOTAVAIL', 'EAFNOSUPPORT', 'EINVAL']);

export class Sockets {
  readonly #onSocket: (socket: Socket) => void;
  readonly #servers: Server[] = [];
  #serversClosed: Promise<unknown> = Promise.resolve();
  readonly #open = new Set<Socket>();
  #closed = false;

  constructor(onSocket: (socket: Socket) => void) {
    this.#onSocket = onSocket;
  }

  /**
   * Binds; resolves with the port.
   * @throws HcmError HCM_PORT_IN_USE, HCM_BIND_FAILED.
   */
  async listen(host: string, port: number): Promise<number> {
    for (let tries = 1; ; tries += 1) {
      const first = await this.#bind(host, port);
      const bound = portOf(first);
      if (host !== DEFAULT_HOST) return bound;
      try {
        await this.#bind(V6_LOOPBACK, bound);
        return bound;
      } catch (error) {
        if (NO_SUCH_ADDRESS.has(String((error as HcmError).details['cause']))) return bound;
        await this.close();
        this.#closed = false;
        if (port !== 0 || tries === PORT_TRIES) throw error;
      }
    }
  }

  get all(): readonly Socket[] {
    return [...this.#open];
  }

  /** Takes no more connections; those that are open stay. */
  stopAccepting(): void {
    this.#closed = true;
    const servers = this.#servers.splice(0);
    if (servers.length === 0) return;
    const closed = servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve())));
    this.#serversClosed = Promise.all(closed);
  }

  /** Cuts what is open, too; resolves when all is gone. */
  async close(): Promise<void> {
    this.stopAccepting();
    for (const socket of this.#open) socket.destroy();
    await this.#serversClosed;
  }

  /** Cuts what is open with RST; answers how many. Continues to listen. */
  reset(): number {
    const sockets = [...this.#open];
    for (const socket of sockets) socket.resetAndDestroy();
    return sockets.length;
  }

  #bind(host: string, port: number): Promise<Server> {
    // Half-open: a Close frame, not TCP, is the end of a WebSocket.
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#add(socket));
    return new Promise((resolve, reject) => {
      server.once('error', (error: NodeJS.ErrnoException) => reject(bindError(host, port, error)));
      server.listen({ host, port, ipv6Only: host === V6_LOOPBACK }, () => {
        this.#servers.push(server);
        resolve(server);
      });
    });
  }

  #add(socket: Socket): void {
    socket.on('error', ignore);
    if (this.#closed) return void socket.destroy();
    this.#open.add(socket);
    socket.on('close', () => this.#open.delete(socket));
    this.#onSocket(socket);
  }
}

function ignore(): void {}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

function bindError(host: string, port: number, error: NodeJS.ErrnoException): HcmError {
  const cause = error.code ?? 'unknown';
  const where = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  return cause === 'EADDRINUSE'
    ? new HcmError('HCM_PORT_IN_USE', `Another program uses ${where} already.`, {
        details: { host, port, cause },
      })
    : new HcmError('HCM_BIND_FAILED', `Cannot listen on ${where}: ${error.message}.`, {
        details: { host, port, cause },
      });
}
