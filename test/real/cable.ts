// The cable between a manager and its relay, which can be cut: nothing is read or written any more, sockets stay open,
// nobody is told, and new connections are taken and get no answer. Once it is mended, all goes on where it was.
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

export class Cable {
  readonly #server: Server;
  readonly #toPort: number;
  readonly #sockets = new Set<Socket>();
  /** What happened while it was cut. */
  #held: (() => void)[] = [];
  #isCut = false;

  static async lay(toPort: number): Promise<Cable> {
    const cable = new Cable(toPort);
    cable.#server.listen(0, '127.0.0.1');
    await once(cable.#server, 'listening');
    return cable;
  }

  private constructor(toPort: number) {
    this.#toPort = toPort;
    this.#server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (near) => {
      this.#keep(near);
      this.#whenWhole(() => this.#join(near));
    });
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  cut(): void {
    this.#isCut = true;
    for (const socket of this.#sockets) socket.pause();
  }

  mend(): void {
    this.#isCut = false;
    for (const happen of this.#held.splice(0)) happen();
    for (const socket of this.#sockets) socket.resume();
  }

  stop(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #join(near: Socket): void {
    const far = connect({ host: '127.0.0.1', port: this.#toPort, allowHalfOpen: true });
    this.#keep(far);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      from.on('data', (chunk: Buffer) => this.#whenWhole(() => to.write(chunk)));
      from.once('end', () => this.#whenWhole(() => to.end()));
      from.once('close', () => this.#whenWhole(() => to.destroy()));
    }
    near.resume();
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => undefined).once('close', () => this.#sockets.delete(socket));
  }

  #whenWhole(act: () => void): void {
    if (this.#isCut) this.#held.push(act);
    else act();
  }
}
