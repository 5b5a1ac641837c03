/** Small, real outbound proxies: HTTP CONNECT and SOCKS5. Every name leads to one port on loopback. */
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import {
  connect,
  createServer as createTcpServer,
  type AddressInfo,
  type Server,
  type Socket,
} from 'node:net';
import type { Proxy } from '../../src/tunnel/options.ts';

export interface ProxyBehaviour {
  /** Where each connection goes, whatever was asked for. */
  toPort: number;
  username?: string;
  password?: string;
  /** HTTP: this status; SOCKS5: "not allowed by ruleset". */
  refuseWith?: number;
  /** Takes connections and says nothing. */
  silent?: boolean;
}

export class TestProxy {
  /** What clients asked for: `host:port`. */
  readonly asked: string[] = [];
  readonly #kind: Proxy['kind'];
  readonly #behaviour: ProxyBehaviour;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  static async start(kind: Proxy['kind'], behaviour: ProxyBehaviour): Promise<TestProxy> {
    const proxy = new TestProxy(kind, behaviour);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  private constructor(kind: Proxy['kind'], behaviour: ProxyBehaviour) {
    this.#kind = kind;
    this.#behaviour = behaviour;
    const http = kind === 'http' && !behaviour.silent;
    this.#server = http ? createServer() : createTcpServer({ allowHalfOpen: true });
    this.#server.on('connection', (socket: Socket) => {
      this.#keep(socket);
      if (behaviour.silent) socket.resume();
      else if (!http) void this.#serveSocks(socket).catch(() => socket.destroy());
    });
    this.#server.on('connect', (request: IncomingMessage, socket: Socket) =>
      this.#serveConnect(request, socket),
    );
  }

  /** How a client names it; by default with the right user and password, if any. */
  address(credentials: { username?: string; password?: string } = this.#behaviour): Proxy {
    const { username, password } = credentials;
    const { port } = this.#server.address() as AddressInfo;
    return { kind: this.#kind, host: '127.0.0.1', port, username, password };
  }

  get openSockets(): number {
    return this.#sockets.size;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #serveConnect(request: IncomingMessage, socket: Socket): void {
    const { username, password, refuseWith } = this.#behaviour;
    const expected = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
    if (username !== undefined && request.headers['proxy-authorization'] !== expected) {
      socket.end(
        'HTTP/1.1 407 Who are you\r\nProxy-Authenticate: Basic realm="x"\r\nContent-Length: 0\r\n\r\n',
      );
    } else if (refuseWith !== undefined) {
      socket.end(`HTTP/1.1 ${refuseWith} Not here\r\nContent-Length: 0\r\n\r\n`);
    } else {
      this.asked.push(request.url ?? '');
      this.#join(socket, () => socket.write('HTTP/1.1 200 Connection established\r\n\r\n'));
    }
  }

  /** RFC 1928, and RFC 1929 for the user and the password. */
  async #serveSocks(socket: Socket): Promise<void> {
    const { username, password, refuseWith } = this.#behaviour;
    const read = (count: number) => readExactly(socket, count);
    const methods = await read((await read(2)).readUInt8(1));
    const method = username === undefined ? 0 : 2;
    socket.write(Buffer.from([5, methods.includes(method) ? method : 0xff]));
    if (!methods.includes(method)) return void socket.end();
    if (method === 2) {
      const given = await read((await read(2)).readUInt8(1));
      const secret = await read((await read(1)).readUInt8(0));
      const right = given.toString() === username && secret.toString() === password;
      socket.write(Buffer.from([1, right ? 0 : 1]));
      if (!right) return void socket.end();
    }
    const kind = (await read(4)).readUInt8(3);
    const bytes = await read(kind === 1 ? 4 : kind === 4 ? 16 : (await read(1)).readUInt8(0));
    const host = kind === 3 ? bytes.toString() : kind === 1 ? bytes.join('.') : `[${bytes.toString('hex')}]`;
    this.asked.push(`${host}:${(await read(2)).readUInt16BE(0)}`);
    const answer = (code: number) => socket.write(Buffer.from([5, code, 0, 1, 0, 0, 0, 0, 0, 0]));
    if (refuseWith !== undefined) return void (answer(2), socket.end());
    this.#join(socket, () => answer(0));
  }

  #join(socket: Socket, tell: () => void): void {
    const onward = connect({ port: this.#behaviour.toPort, host: '127.0.0.1' });
    this.#keep(onward);
    onward.once('connect', () => {
      tell();
      socket.pipe(onward).pipe(socket);
    });
    socket.once('close', () => onward.destroy());
    onward.once('close', () => socket.destroy());
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => undefined).once('close', () => this.#sockets.delete(socket));
    socket.once('end', () => socket.end());
  }
}

async function readExactly(socket: Socket, count: number): Promise<Buffer> {
  for (;;) {
    const bytes = socket.read(count) as Buffer | null;
    if (bytes) return bytes;
    if (socket.destroyed || socket.readableEnded) throw new Error('the client is gone');
    await Promise.race([once(socket, 'readable'), once(socket, 'close')]);
  }
}
