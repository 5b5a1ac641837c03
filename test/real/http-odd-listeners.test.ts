// Microsoft's listeners where they are asked for what they do not know: hyco-ws ignores HTTP, hyco-https dies of a WebSocket
// sender. The relay outlives both, and tells the sender.
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createEmulator, parseConnectionString, type Emulator } from '../../src/index.ts';
import { sasResource, signSasToken } from '../../src/protocol/sas-token.ts';
import { NodeClient } from './http/exchange.ts';
import {
  runHycoSender,
  startHycoHttpsListener,
  startHycoListener,
  type HycoOptions,
} from './servers/hyco.ts';

const NAME = 'odd/one';
const HANDLER = fileURLToPath(new URL('http/mix-handler.ts', import.meta.url));
/** Azure waits a minute for a response, and half of one for a listener to accept. */
const RESPONSE_TIMEOUT_MS = 2_000;
const ACCEPT_TIMEOUT_MS = 3_000;
const TOKEN_LIFETIME_MS = 60_000;

describe("Microsoft's listeners, asked for what they do not know", () => {
  let directory: string;
  let caFile: string;
  let emulator: Emulator;
  const running: { stop(): Promise<void> }[] = [];

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'hcm-real-odd-'));
    emulator = await createEmulator({
      connections: [{ name: NAME }],
      behaviour: { responseTimeoutMs: RESPONSE_TIMEOUT_MS, rendezvousLifeMs: ACCEPT_TIMEOUT_MS },
    });
    caFile = join(directory, 'ca.pem');
    await writeFile(caFile, emulator.caPem);
  });

  afterEach(async () => {
    await Promise.all(running.splice(0).map((each) => each.stop()));
    await emulator.stop();
    await rm(directory, { recursive: true });
  });

  function keyOf(side: 'listener' | 'sender'): { keyName: string; key: string } {
    const [connection] = emulator.connections;
    const text =
      side === 'listener' ? connection?.listenerConnectionString : connection?.senderConnectionString;
    const { credential } = parseConnectionString(text ?? '');
    if (credential.kind !== 'key') throw new Error(`no key for the ${side}`);
    return { keyName: credential.keyName, key: credential.key };
  }

  function hyco(side: 'listener' | 'sender'): HycoOptions {
    return { relayUri: `wss://localhost:${emulator.port}`, path: NAME, ...keyOf(side), caFile };
  }

  async function ask(path: string) {
    const resource = sasResource('localhost', NAME);
    const expiresAtMs = Date.now() + TOKEN_LIFETIME_MS;
    const token = signSasToken({ resource, ...keyOf('sender'), expiresAtMs });
    const client = new NodeClient({
      origin: `https://localhost:${emulator.port}`,
      prefix: `/${NAME}`,
      ca: emulator.caPem,
      headers: { ServiceBusAuthorization: token },
    });
    running.push({ stop: () => Promise.resolve(client.close()) });
    return client.send({ method: 'GET', path });
  }

  it('hyco-ws ignores an HTTP request: the sender gets 504 after the limit, and the listener goes on', async () => {
    running.push(await startHycoListener(hyco('listener')));
    const answer = await ask('/nothing');
    assert.equal(answer.status, 504);
    assert.match(answer.phrase, /the listener did not respond in the required time/);
    const { status, stderr } = await runHycoSender({
      ...hyco('sender'),
      messages: [{ text: 'still here?' }],
    });
    assert.equal(status, 0, stderr);
  });

  it('hyco-https dies of a WebSocket sender: the sender is told, and the relay serves the next listener', async () => {
    const listener = await startHycoHttpsListener({ ...hyco('listener'), handler: HANDLER });
    running.push(listener);
    const { status, events } = await runHycoSender({ ...hyco('sender'), messages: [{ text: 'hello' }] });
    assert.equal(status, 1);
    assert.ok(
      events.some(({ event }) => event === 'refused'),
      JSON.stringify(events),
    );
    assert.equal(await listener.exited, 1);
    assert.match(String((await listener.waitFor('crashed'))['message']), /Extensions is not defined/);
    running.push(await startHycoHttpsListener({ ...hyco('listener'), handler: HANDLER }));
    assert.equal((await ask('/again')).status, 200);
  });
});
