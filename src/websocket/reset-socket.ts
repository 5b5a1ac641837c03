/** Aborting a socket so that the peer sees an error, where the transport can say so. */
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';

/**
 * Resets a TCP connection. TLS and Unix sockets have no reset and are destroyed: there the protocol above must tell.
 * `close` follows, at the latest two turns of the event loop on.
 */
export function resetSocket(socket: Socket): void {
  if (socket.destroyed) return;
  if (socket instanceof TLSSocket || isPipe(socket)) socket.destroy();
  // libuv refuses a reset while a shutdown is under way, and the socket would never close (seen on Node 20).
  else if (isShuttingDown(socket)) socket.once('finish', () => resetSocket(socket));
  else socket.resetAndDestroy();
}

/** Everything is written, and the end of our direction is on its way to the kernel. */
function isShuttingDown(socket: Socket): boolean {
  return socket.writableEnded && !socket.writableFinished && socket.writableLength === 0;
}

/** A Unix socket or named pipe; Node throws for its reset. */
function isPipe(socket: Socket): boolean {
  return socket.remoteFamily === undefined && socket.localPort === undefined;
}
