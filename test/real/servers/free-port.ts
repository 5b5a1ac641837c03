// Ports on the loopback: one that is free now, and whether somebody answers on one.
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';

export const LOOPBACK = '127.0.0.1';

/** A port that was free a moment ago, for servers that cannot be told "any" and asked which. */
export async function freePort(host = LOOPBACK): Promise<number> {
  const server = createServer().listen(0, host);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Where Linux begins with the ports of outgoing connections, unless told (ip_local_port_range). */
const OUTGOING_FROM = 32_768;
const KEPT_FROM = 20_000;

/** The same for a server that comes back on it: nobody's outgoing connection takes it in between. */
export async function keptPort(): Promise<number> {
  for (;;) {
    const port = randomInt(KEPT_FROM, OUTGOING_FROM);
    const server = createServer().listen(port, LOOPBACK);
    const isFree = await once(server, 'listening').then(
      () => true,
      () => false,
    );
    server.close();
    if (isFree) return port;
  }
}

/** Does somebody accept TCP connections there? */
export function acceptsConnections(port: number, host = LOOPBACK): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host });
    const settle = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => settle(true));
    socket.once('error', () => settle(false));
  });
}
