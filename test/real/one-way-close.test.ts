// A peer that takes a Close for the end of one direction, as azbridge and .NET do: here it is nothing but a TLS socket
// with frames written by hand, once as the sender and once as the listener of our own program.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { parseConnectionString } from '../../src/protocol/connection-string.ts';
import { closeRawClientsAfterEach, RawClient } from '../contract/raw-client.ts';
import { token } from '../contract/tokens.ts';
import { HcmPath } from './hcm-path.ts';
import { pollUntil } from './servers/process.ts';

const TEXT = 1;
const BINARY = 2;
const CLOSE = 8;
/** Code 1000 and the reason of .NET's Shutdown. */
const SHUTDOWN = Buffer.concat([Buffer.from([0x03, 0xe8]), Buffer.from('Shutdown')]);
/** Several messages, more than the buffers on the way take at once. */
const ANSWER = randomBytes(3_000_000);

describe('a peer whose Close ends one direction', () => {
  let path: HcmPath;
  let server: Server | undefined;
  closeRawClientsAfterEach();

  beforeEach(async () => {
    path = await HcmPath.create();
    await path.startEmulator(['main']);
  });
  afterEach(async () => {
    server?.close();
    server = undefined;
    await path.stop();
  });

  /** Connects by hand, with the key of one side. */
  async function ask(side: 'listener' | 'sender', action: string): Promise<RawClient> {
    const [connection] = path.relay.connections;
    const text =
      side === 'listener' ? connection?.listenerConnectionString : connection?.senderConnectionString;
    const { credential } = parseConnectionString(text ?? '');
    assert.ok(credential.kind === 'key');
    const sas = token('http://localhost/main/', { name: credential.keyName, key: credential.key });
    const client = await RawClient.connect(await relay());
    client.ask(`/$hc/main?sb-hc-action=${action}`, [`ServiceBusAuthorization: ${sas}`]);
    return client;
  }

  async function relay(): Promise<{ port: number; ca: string }> {
    return { port: path.relayPort, ca: await readFile(path.relay.caFile, 'utf8') };
  }

  async function target(serve: (socket: Socket) => void): Promise<string> {
    server = createServer({ allowHalfOpen: true }, (socket) => {
      serve(socket.on('error', () => undefined));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    return `127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  /** All messages until the Close, and that Close. */
  async function readToClose(client: RawClient): Promise<{ bytes: Buffer; close: Buffer }> {
    const parts: Buffer[] = [];
    for (;;) {
      const { opcode, payload } = await client.message();
      if (opcode === CLOSE) return { bytes: Buffer.concat(parts), close: payload };
      if (opcode === BINARY) parts.push(payload);
    }
  }

  it('as sender: its Close is the end that the target waits for, and the whole answer comes after it', async () => {
    const heard: Buffer[] = [];
    const listener = await path.listen(
      'main',
      await target((socket) => {
        socket.on('data', (chunk: Buffer) => heard.push(chunk));
        socket.on('end', () => socket.end(ANSWER));
      }),
    );
    const sender = await ask('sender', 'connect');
    assert.equal((await sender.answer()).status, 101);
    sender.send({ opcode: BINARY, payload: 'question' }, { opcode: CLOSE, payload: SHUTDOWN });
    const { bytes, close } = await readToClose(sender);
    assert.ok(bytes.equals(ANSWER), `${bytes.length} bytes of the answer`);
    assert.equal(close.readUInt16BE(0), 1000);
    assert.equal(Buffer.concat(heard).toString(), 'question');
    const closedAt = () => listener.events.find(({ event }) => event === 'closed');
    await pollUntil(() => closedAt() !== undefined, { what: 'the end of the stream at the listener' });
    const closed = closedAt();
    assert.deepEqual([closed?.['bytesIn'], closed?.['bytesOut']], [8, ANSWER.length]);
    assert.equal(closed?.['reason'], 'ended');
  });

  it('as sender: the end of the target is its Close, and what it still sends arrives', async () => {
    let heard: Promise<Buffer> | undefined;
    await path.listen(
      'main',
      await target((socket) => {
        socket.end('welcome');
        heard = buffer(socket);
      }),
    );
    const sender = await ask('sender', 'connect');
    assert.equal((await sender.answer()).status, 101);
    const { bytes, close } = await readToClose(sender);
    assert.equal(bytes.toString(), 'welcome');
    assert.equal(close.readUInt16BE(0), 1000);
    sender.send(
      { opcode: BINARY, payload: ANSWER },
      { opcode: TEXT, payload: '.' },
      { opcode: CLOSE, payload: SHUTDOWN },
    );
    await sender.end();
    const got = await heard;
    assert.ok(got?.equals(Buffer.concat([ANSWER, Buffer.from('.')])), `${got?.length} bytes`);
  });

  /** A rendezvous that a listener made by hand opens for the next sender. */
  async function accept(control: RawClient): Promise<RawClient> {
    const { payload } = await control.message();
    const { accept } = JSON.parse(payload.toString()) as { accept: { address: string } };
    const { pathname, search } = new URL(accept.address);
    const rendezvous = await RawClient.connect(await relay());
    rendezvous.ask(`${pathname}${search}`);
    assert.equal((await rendezvous.answer()).status, 101);
    return rendezvous;
  }

  async function connectProgram() {
    const file = await path.stringFile('main', 'sender');
    const program = spawn(...path.commandLine(['connect', '--connection-string-file', file]), {
      env: path.env,
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    return { stdin: program.stdin, output: buffer(program.stdout), ended: once(program, 'close') };
  }

  it('as listener: hcm connect closes at the end of stdin, and prints all that comes after it', async () => {
    const control = await ask('listener', 'listen');
    assert.equal((await control.answer()).status, 101);
    const program = await connectProgram();
    program.stdin.end('question');
    const rendezvous = await accept(control);
    const { bytes, close } = await readToClose(rendezvous);
    assert.equal(bytes.toString(), 'question');
    assert.equal(close.readUInt16BE(0), 1000);
    rendezvous.send({ opcode: BINARY, payload: ANSWER }, { opcode: CLOSE, payload: SHUTDOWN });
    assert.ok((await program.output).equals(ANSWER));
    assert.deepEqual(await program.ended, [0, null]);
  });

  it('as listener: after its Close hcm connect still sends, and has not ended as long as stdin has not', async () => {
    const control = await ask('listener', 'listen');
    assert.equal((await control.answer()).status, 101);
    const program = await connectProgram();
    const rendezvous = await accept(control);
    rendezvous.send({ opcode: BINARY, payload: 'welcome' }, { opcode: CLOSE, payload: SHUTDOWN });
    assert.equal((await program.output).toString(), 'welcome');
    program.stdin.end(ANSWER);
    const { bytes, close } = await readToClose(rendezvous);
    assert.ok(bytes.equals(ANSWER), `${bytes.length} bytes`);
    assert.equal(close.readUInt16BE(0), 1000);
    assert.deepEqual(await program.ended, [0, null]);
  });
});
