// A sender made of Microsoft's unmodified hyco-ws: connects to a hybrid connection, sends the given messages, reports
// each message it receives by its hash, and how the connection ended. It talks NDJSON on stdout; the README beside it
// has the contract. Exit status: 0 after a closing handshake, 1 when refused or broken, 124 when out of time.
'use strict';
const crypto = require('node:crypto');
const WebSocket = require('hyco-ws');
const { report, relayUri, signedToken } = require('./hyco-common.cjs');

const messages = JSON.parse(process.env.HYCO_MESSAGES ?? '[]').map(toMessage);
const sentBytes = messages.reduce((sum, message) => sum + message.data.length, 0);
const expected = process.env.HYCO_EXPECT_BYTES ?? String(sentBytes); // or 'close': the peer closes
const timeoutMs = Number(process.env.HYCO_TIMEOUT_MS ?? 30_000);
const tokenPlace = process.env.HYCO_TOKEN_IN ?? 'header';

let uri = relayUri('connect');
const token = tokenPlace === 'none' ? undefined : (process.env.HYCO_TOKEN ?? signedToken(WebSocket, uri));
if (tokenPlace === 'query') uri += `&sb-hc-token=${encodeURIComponent(token)}`;

/** {text} is a text message; {base64} or {size} is binary; `binary` overrides that. */
function toMessage(item) {
  if (item.text !== undefined) return { data: Buffer.from(item.text), binary: item.binary ?? false };
  const data = item.base64 !== undefined ? Buffer.from(item.base64, 'base64') : pattern(item.size);
  return { data, binary: item.binary ?? true };
}

/** `size` bytes that a test can make again: byte i is i * 31 modulo 251. */
function pattern(size) {
  const bytes = Buffer.allocUnsafe(size);
  for (let i = 0; i < size; i++) bytes[i] = (i * 31) % 251;
  return bytes;
}

function sha256(...chunks) {
  const hash = crypto.createHash('sha256');
  for (const chunk of chunks) hash.update(chunk);
  return hash.digest('hex');
}

const received = { messages: 0, bytes: 0, hash: crypto.createHash('sha256') };
report('dialing', { uri: uri.replace(/sb-hc-token=[^&]*/, 'sb-hc-token=***') });
const socket = WebSocket.relayedConnect(uri, tokenPlace === 'header' ? token : null, () => {
  report('open', {});
  for (const { data, binary } of messages) {
    socket.send(binary ? data : data.toString(), { binary }, (error) => {
      if (error) report('error', { message: error.message });
    });
  }
  report('sent', { messages: messages.length, bytes: sentBytes, sha256: sha256(...messages.map((m) => m.data)) });
  closeWhenDone();
});

function closeWhenDone() {
  if (expected !== 'close' && received.bytes >= Number(expected)) socket.close(1000, 'done');
}

socket.on('message', (data, flags) => {
  const bytes = Buffer.from(data);
  received.messages += 1;
  received.bytes += bytes.length;
  received.hash.update(bytes);
  report('message', { binary: flags.binary === true, bytes: bytes.length, sha256: sha256(bytes) });
  closeWhenDone();
});

// ws calls the end of a refused request a close, too, and may do so before the answer's body has been read.
let refused = false;
socket.on('unexpected-response', (request, response) => {
  refused = true;
  const { statusCode, statusMessage, headers } = response;
  response.setEncoding('utf8');
  let body = '';
  response.on('data', (text) => (body += text));
  response.on('close', () => {
    report('refused', { statusCode, statusMessage, headers, body });
    process.exit(1);
  });
});
socket.on('error', (error) => {
  if (refused) return;
  report('error', { message: error.message, code: error.code });
  process.exitCode = 1;
});
socket.on('close', (code, reason) => {
  if (refused) return;
  const { messages, bytes, hash } = received;
  report('closed', { code, reason: String(reason ?? ''), messages, bytes, sha256: hash.digest('hex') });
  process.exit(process.exitCode ?? 0);
});

setTimeout(() => {
  report('timeout', { messages: received.messages, bytes: received.bytes });
  process.exit(124);
}, timeoutMs);
process.once('SIGTERM', () => socket.close(1000));
