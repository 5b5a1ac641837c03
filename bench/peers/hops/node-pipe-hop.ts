/** One hop of `node-pipe`: accept, connect, pipe both ways. The program that everyone writes first. */
import { readFileSync } from 'node:fs';
import net from 'node:net';
import tls from 'node:tls';
import { listenAndSayReady, readConfig, type HopConfig } from './hop.ts';

const { connectPort, certificate, tlsIn, tlsOut } = readConfig<HopConfig>();
const cert = certificate && readFileSync(certificate.certFile);
const key = certificate && readFileSync(certificate.keyFile);
const context = tlsOut && cert ? tls.createSecureContext({ ca: cert }) : undefined;

function dial(): net.Socket {
  if (!context)
    return net.connect({ port: connectPort, host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
  const options = { port: connectPort, host: '127.0.0.1', servername: 'localhost', secureContext: context };
  return tls.connect(options).setNoDelay(true);
}

function join(from: net.Socket): void {
  const to = dial();
  from.pipe(to).pipe(from);
  from.on('error', () => to.destroy());
  to.on('error', () => from.destroy());
}

const options = { noDelay: true, allowHalfOpen: true };
listenAndSayReady(
  tlsIn && cert && key
    ? tls.createServer({ ...options, cert, key }, join).on('tlsClientError', () => {})
    : net.createServer(options, join),
);
