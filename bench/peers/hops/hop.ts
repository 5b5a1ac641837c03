/** What every hop process is told, and how it answers: configuration in argv[2], one ready line on stdout. */
import type { AddressInfo, Server } from 'node:net';
import type { CertificateFiles } from '../../certificate.ts';

/** A hop that accepts on a free port and connects on. */
export interface HopConfig {
  connectPort: number;
  certificate?: CertificateFiles;
  tlsIn?: boolean;
  tlsOut?: boolean;
}

export function readConfig<T>(): T {
  return JSON.parse(process.argv[2] ?? '{}') as T;
}

export function sayReady(more: object = {}): void {
  process.stdout.write(`${JSON.stringify({ ready: true, ...more })}\n`);
}

/** Listens on a free loopback port and says so. */
export function listenAndSayReady(server: Server): void {
  server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () => {
    sayReady({ port: (server.address() as AddressInfo).port });
  });
}

process.on('SIGTERM', () => process.exit(0));
