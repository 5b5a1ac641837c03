/** The relay of the `ws` path: tells the listener of each sender, and joins the two WebSockets when it comes. */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import type { Socket } from 'node:net';
import { WebSocketServer, type WebSocket } from 'ws';
import { listenAndSayReady, readConfig } from './hop.ts';
import { join, streamOf, type WsHopConfig } from './ws-hop.ts';

const { certificate } = readConfig<Pick<WsHopConfig, 'certificate'>>();
const server = certificate
  ? https.createServer({ cert: readFileSync(certificate.certFile), key: readFileSync(certificate.keyFile) })
  : http.createServer();
server.on('connection', (socket: Socket) => socket.setNoDelay(true));

const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false });
const waiting = new Map<string, (listener: WebSocket) => void>();
let control: WebSocket | undefined;

// The sender's handshake is answered when the listener has come, as Azure Relay does.
server.on('upgrade', (request, socket, head) => {
  const finish = (then: (socket: WebSocket) => void) => sockets.handleUpgrade(request, socket, head, then);
  const [path, id = ''] = (request.url ?? '').split('?');
  if (path === '/listen') {
    finish((listener) => (control = listener));
  } else if (path === '/accept') {
    const met = waiting.get(id);
    waiting.delete(id);
    finish((listener) => (met ? met(listener) : listener.close()));
  } else {
    const newId = randomUUID();
    waiting.set(newId, (listener) => finish((sender) => join(streamOf(sender), streamOf(listener))));
    control?.send(newId);
  }
});

listenAndSayReady(server);
