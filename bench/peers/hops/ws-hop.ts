/** What the three `ws` hops share: dialing the relay, and joining a WebSocket's stream with another. */
import { readFileSync } from 'node:fs';
import type { Duplex } from 'node:stream';
import tls from 'node:tls';
import { createWebSocketStream, WebSocket } from 'ws';
import type { CertificateFiles } from '../../certificate.ts';

export interface WsHopConfig {
  relayPort: number;
  targetPort: number;
  certificate?: CertificateFiles;
}

/** A function that opens a WebSocket to a path of the relay; one shared TLS context, as a good client has. */
export function dialer({ relayPort, certificate }: WsHopConfig): (path: string) => WebSocket {
  const secureContext = certificate && tls.createSecureContext({ ca: readFileSync(certificate.certFile) });
  const base = `${certificate ? 'wss' : 'ws'}://localhost:${relayPort}`;
  return (path) =>
    new WebSocket(base + path, { perMessageDeflate: false, secureContext, family: 4 } as object);
}

export function streamOf(socket: WebSocket): Duplex {
  return createWebSocketStream(socket, { allowHalfOpen: true });
}

/** Pipes both ways; when one breaks the other is destroyed. */
export function join(one: Duplex, other: Duplex): void {
  one.pipe(other).pipe(one);
  one.on('error', () => other.destroy());
  other.on('error', () => one.destroy());
}
