// A listener made of Microsoft's unmodified hyco-ws: registers one hybrid connection at the relay, and echoes each
// accepted connection or pumps it to a TCP target. It talks NDJSON on stdout; the README beside it has the contract.
// hyco-ws reconnects at once and for ever, so unless HYCO_KEEP_DIALING=1 the first failure ends this process.
'use strict';
const net = require('node:net');
const WebSocket = require('hyco-ws');
const { report, requiredEnv, relayUri, signedToken } = require('./hyco-common.cjs');

const mode = process.env.HYCO_MODE ?? 'echo';
const targetHost = process.env.HYCO_TARGET_HOST ?? '127.0.0.1';
const targetPort = mode === 'pump' ? Number(requiredEnv('HYCO_TARGET_PORT')) : undefined;
const keepDialing = process.env.HYCO_KEEP_DIALING === '1';
const uri = relayUri('listen');
const GOING_AWAY = 1001;
const INTERNAL_ERROR = 1011;

let connections = 0;
const server = WebSocket.createRelayedServer({ server: uri, token: () => signedToken(WebSocket, uri) });
report('dialing', { uri });

server.on('listening', () => {
  report('listening', {});
  server.controlChannel.on('message', (data) => report('control-message', { text: String(data) }));
  server.controlChannel.on('close', (code, reason) => {
    report('control-closed', { code, reason: String(reason ?? '') });
    if (!keepDialing) process.exit(server.closeRequested ? 0 : 1);
  });
});
server.on('error', (error) => {
  report('error', { message: error.message ?? String(error) });
  if (!keepDialing) process.exit(1);
});
server.on('connection', (socket) => {
  const connection = ++connections;
  const received = { messages: 0, bytes: 0 };
  report('accepted', { connection, address: socket.url });
  socket.on('message', (data) => {
    received.messages += 1;
    received.bytes += Buffer.byteLength(data);
  });
  socket.on('error', (error) => report('connection-error', { connection, message: error.message }));
  socket.on('close', (code, reason) => {
    report('closed', { connection, code, reason: String(reason ?? ''), ...received });
  });
  if (mode === 'pump') pump(connection, socket);
  else echo(socket);
});

function echo(socket) {
  socket.on('message', (data, flags) => socket.send(data, { binary: flags.binary === true }, () => {}));
}

/** Joins the relayed connection and a TCP connection to the target, with back-pressure both ways. */
function pump(connection, socket) {
  const target = net.connect({ host: targetHost, port: targetPort, allowHalfOpen: true });
  target.pause(); // until the rendezvous is open: ws 1.1 throws when asked to send earlier
  socket.on('open', () => {
    target.on('data', (chunk) => {
      if (socket.readyState !== WebSocket.OPEN) return;
      target.pause();
      socket.send(chunk, { binary: true }, () => target.resume());
    });
    target.on('end', () => socket.close(1000));
    target.resume();
  });
  socket.on('message', (data) => {
    if (!target.write(data) && socket.readyState === WebSocket.OPEN) socket.pause();
  });
  target.on('drain', () => {
    if (socket.readyState === WebSocket.OPEN) socket.resume();
  });
  target.on('error', (error) => {
    report('target-error', { connection, code: error.code, message: error.message });
    if (socket.readyState === WebSocket.OPEN) socket.close(INTERNAL_ERROR, error.code);
    else socket.on('open', () => socket.close(INTERNAL_ERROR, error.code));
  });
  socket.on('close', () => target.end());
  socket.on('error', () => target.destroy());
}

function stop() {
  const open = server.controlChannel.readyState === WebSocket.OPEN;
  for (const client of server.clients) if (client.readyState === WebSocket.OPEN) client.close(GOING_AWAY);
  server.close();
  if (!open) process.exit(0);
}
process.once('SIGTERM', stop);
process.once('SIGINT', stop);
