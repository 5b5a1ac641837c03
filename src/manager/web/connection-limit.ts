/**
 * How many connections the web server has at a time. Every user of the machine can open as many as there is room for and
 * say nothing: where there is none, the one goes that was silent longest of those that never showed a session, so that a
 * page that is signed in goes on.
 */
import type { Server } from 'node:http';
import type { Socket } from 'node:net';

export class ConnectionLimit {
  readonly #all = new Set<Socket>();
  /** Without a session; whoever asked last is the last one here. */
  readonly #strangers = new Set<Socket>();

  constructor(server: Server, max: number) {
    server.on('connection', (socket) => {
      this.#all.add(socket);
      this.#strangers.add(socket);
      socket.once('close', () => this.#forget(socket));
      if (this.#all.size <= max) return;
      // The new one itself, where all others have sessions.
      const [longest = socket] = this.#strangers;
      this.#forget(longest);
      longest.destroy();
    });
    server.on('request', ({ socket }) => {
      if (this.#strangers.delete(socket)) this.#strangers.add(socket);
    });
  }

  /** It has shown a session, and keeps its place. */
  keep(socket: Socket): void {
    this.#strangers.delete(socket);
  }

  #forget(socket: Socket): void {
    this.#all.delete(socket);
    this.#strangers.delete(socket);
  }
}
