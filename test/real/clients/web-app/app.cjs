// A web application as people write them (express, multer, compression, cookies, server-sent events), to be asked directly
// and through the relay. Its answers depend on the request alone, so that two ways to it can be compared. It listens on the
// loopback, on a port of its own choice, and says which in one JSON line.
'use strict';
const { createHash } = require('node:crypto');
const path = require('node:path');
const compression = require('compression');
const cookieParser = require('cookie-parser');
const express = require('express');
const multer = require('multer');

const MAX_UPLOAD_BYTES = 8 * 1024 * 1024;
const EVENT_INTERVAL_MS = 5;
const files = process.argv[2]; // static files

const app = express();
app.set('trust proxy', false);
app.use(compression({ threshold: 1024 }));
app.use(cookieParser());

app.get('/hello', (request, response) => response.send(`hello ${request.query.name ?? 'you'}\n`));

app.get('/item/:id', (request, response) => {
  response.set('Cache-Control', 'private, max-age=60');
  response.json({ id: request.params.id, query: request.query, text: 'item '.repeat(request.params.id.length * 20) });
});

app.post('/json', express.json({ limit: '2mb' }), (request, response) => response.status(201).json(request.body));
app.post('/form', express.urlencoded({ extended: true }), (request, response) => response.json(request.body));
app.put('/raw', (request, response) => {
  const hash = createHash('sha256');
  let bytes = 0;
  request.on('data', (chunk) => {
    bytes += chunk.length;
    hash.update(chunk);
  });
  request.on('end', () => response.json({ bytes, sha256: hash.digest('hex') }));
});

const upload = multer({ limits: { fileSize: MAX_UPLOAD_BYTES } });
app.post('/upload', upload.any(), (request, response) => {
  const uploaded = request.files.map(({ fieldname, originalname, mimetype, buffer }) => {
    return { fieldname, originalname, mimetype, bytes: buffer.length, sha256: hashOf(buffer) };
  });
  response.json({ fields: request.body, uploaded });
});

app.get('/login', (request, response) => {
  response.cookie('session', request.query.user ?? 'nobody', { httpOnly: true, sameSite: 'lax' });
  response.cookie('until', 'x', { expires: new Date(1_900_000_000_000), path: '/app' });
  response.cookie('list', 'a,b; c', { secure: true });
  response.redirect(303, '/whoami');
});
app.get('/whoami', (request, response) => response.json(request.cookies));
app.get('/logout', (request, response) => response.clearCookie('session').sendStatus(204));

app.get('/redirect/:status', (request, response) => {
  response.redirect(Number(request.params.status), request.query.to ?? '/hello');
});

/** So many events, each flushed when it is written. */
app.get('/events', (request, response) => {
  const wanted = Number(request.query.count ?? 5);
  response.set({ 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-cache, no-transform' });
  response.flushHeaders();
  let sent = 0;
  const timer = setInterval(() => {
    response.write(`id: ${sent}\nevent: tick\ndata: {"n":${sent}}\n\n`);
    sent += 1;
    if (sent >= wanted) response.end();
  }, EVENT_INTERVAL_MS);
  response.on('close', () => clearInterval(timer));
});

/** One event, and then none for ever: whoever waits for the end never sees the beginning. */
app.get('/endless', (request, response) => {
  response.set({ 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-cache, no-transform' });
  response.write('data: first\n\n');
});

app.get('/chunks', (request, response) => {
  const line = `${'chunk '.repeat(170)}\n`;
  for (let at = 0; at < Number(request.query.count ?? 10); at += 1) response.write(line);
  response.end();
});

app.use('/files', express.static(files, { maxAge: '1h' }));
app.get('/download', (request, response) => response.download(path.join(files, 'data.bin'), 'a "file", b.bin'));
app.get('/fails', () => {
  throw Object.assign(new Error('it fails'), { status: 503, expose: true });
});
app.use((error, request, response, _next) => {
  response.status(error.status ?? 500).json({ error: error.message });
});

const server = app.listen(0, '127.0.0.1', () => {
  console.log(JSON.stringify({ port: server.address().port }));
});
server.keepAliveTimeout = 60_000;
process.once('SIGTERM', () => process.exit(0));

function hashOf(data) {
  return createHash('sha256').update(data).digest('hex');
}
