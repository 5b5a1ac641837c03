/** Connections below those of a tunnel, for a look at who answers: TCP to given addresses, TLS without a verdict. */
import { connect as connectTcp, isIP, type LookupFunction, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { errorFromNetwork } from '../../../protocol/network-errors.ts';
import type { CancelSignal } from '../../../tunnel/network-errors.ts';

/** Resolves with a TCP connection to one of the addresses; rejects with what a tunnel would say. */
export function connectDirectly(
  host: string,
  port: number,
  addresses: readonly string[],
  signal: CancelSignal,
): Promise<Socket> {
  const found = addresses.map((address) => ({ address, family: isIP(address) }));
  const answer: LookupFunction = (_host, options, done) => {
    const [first] = found;
    if (options.all) return done(null, found);
    done(null, first?.address ?? '', first?.family);
  };
  const socket = connectTcp({
    host,
    port,
    lookup: answer,
    autoSelectFamily: true,
  });
  return ready(socket, 'connect', signal, (error) => errorFromNetwork(error, host, port));
}

/** TLS whoever it is with: to be looked at, and never to carry a secret. */
export function secureUnverified(
  tcp: Socket,
  host: string,
  port: number,
  signal: CancelSignal,
): Promise<TLSSocket> {
  const tls = connectTls({
    socket: tcp,
    ...(isIP(host) ? {} : { servername: host }),
    // Only looked at: neither a key nor a token goes this way.
    rejectUnauthorized: false,
  });
  return ready(tls, 'secureConnect', signal, (error) => errorFromNetwork(error, host, port));
}

function ready<T extends Socket>(
  socket: T,
  event: 'connect' | 'secureConnect',
  signal: CancelSignal,
  toError: (error: Error) => Error,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const finish = (act: () => void) => {
      signal.removeEventListener('abort', onAbort);
      act();
    };
    const fail = (error: Error) =>
      finish(() => {
        socket.destroy();
        reject(error);
      });
    const onAbort = () => fail(signal.reason);
    socket.on('error', (error) => fail(toError(error)));
    socket.once('close', () => fail(toError(new Error('the connection was closed'))));
    socket.once(event, () => finish(() => resolve(socket)));
    if (signal.aborted) return onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
  });
}
