/**
 * Tells the end of a TCP stream from its reset. libuv takes a hang-up right behind the last bytes for an end although
 * the peer has reset the connection, and Node then knows of no error: a program that died would look like one that
 * had sent all. A second read tells the truth, the end again or the error, so an end is believed only after it.
 */
import type { Socket } from 'node:net';

interface StreamHandle {
  onread: (...args: unknown[]) => unknown;
  readStart(): number;
}
type InnerSocket = Socket & { _handle?: StreamHandle | null; _readableState?: { autoDestroy: boolean } };

/**
 * Before a socket is read: Node shall not destroy it by itself once both directions are over, since the end is still
 * to be confirmed then. The caller destroys it instead.
 */
export function keepOpenAtEnd(socket: Socket): void {
  const state = (socket as InnerSocket)._readableState;
  if (state) state.autoDestroy = false;
}

/** In the handler of 'end'. Calls `confirmed` after a true end; after a reset the socket is destroyed with its error. */
export function confirmEnd(socket: Socket, confirmed: () => void): void {
  const handle = (socket as InnerSocket)._handle;
  const onread = handle?.onread;
  if (!handle || typeof onread !== 'function') return confirmed();
  handle.onread = function (...args) {
    handle.onread = onread;
    onread.apply(this, args);
    if (!socket.destroyed) confirmed();
  };
  if (handle.readStart() === 0) return;
  handle.onread = onread;
  confirmed();
}
