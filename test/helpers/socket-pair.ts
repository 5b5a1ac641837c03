/** Two ends of one loopback connection, plain or TLS. */
import { once } from 'node:events';
import net from 'node:net';
import type { Socket } from 'node:net';
import tls from 'node:tls';
import { tlsCertificate } from './tls-certificate.ts';
import { until } from './until.ts';

export interface SocketPair {
  /** The end that connected. */
  client: Socket;
  /** The end that was accepted. */
  server: Socket;
}

export type Transport = 'plain' | 'tls';

/** Both ends allow half-open connections. They are the caller's to end; `destroySockets` does so. */
export async function socketPair(transport: Transport = 'plain'): Promise<SocketPair> {
  const certificate = transport === 'tls' ? await tlsCertificate() : undefined;
  const server = certificate
    ? tls.createServer({ ...certificate, allowHalfOpen: true })
    : net.createServer({ allowHalfOpen: true });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  const accepted = once(server, certificate ? 'secureConnection' : 'connection');
  const where = { host: '127.0.0.1', port, allowHalfOpen: true };
  const client = certificate
    ? tls.connect({ ...where, ca: certificate.ca, servername: 'localhost' } as tls.ConnectionOptions)
    : net.connect(where);
  const [[socket]] = (await Promise.all([
    accepted,
    once(client, certificate ? 'secureConnect' : 'connect'),
  ])) as [[Socket], unknown];
  server.close();
  return { client, server: socket };
}

/** Destroys the sockets, and resolves when all are closed. */
export async function destroySockets(...sockets: Socket[]): Promise<void> {
  for (const socket of sockets) {
    socket.on('error', () => undefined);
    socket.destroy();
  }
  await until(() => sockets.every((socket) => socket.closed), 'the close of the sockets');
}
