// Two hundred requests of all kinds, by node:http and curl, through our relay to the same handler under Microsoft's
// unmodified hyco-https, under `hcm listen` and under a program's own listener: each answer as the direct one.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { HcmPath } from './hcm-path.ts';
import {
  announcesItsLength,
  expectedThrough,
  hycoDifferences,
  observe,
  ownDifferences,
  targetDifferences,
  withoutOwn,
  type Differences,
} from './http/differences.ts';
import { NodeClient, sendByCurl, type Answer, type HttpServer } from './http/exchange.ts';
import { mapAtOnce } from './http/many.ts';
import { handle } from './http/mix-handler.ts';
import { startOwnListener } from './http/own-listener.ts';
import { mixedRequests, type MixedRequest } from './http/mix.ts';
import { hycoOptions, relayedServer } from './http/relay-http.ts';
import { startHycoHttpsListener } from './servers/hyco.ts';

const NAME = 'mix/one';
const AT_ONCE = 8;
const HANDLER = fileURLToPath(new URL('http/mix-handler.ts', import.meta.url));

describe('two hundred mixed requests through our relay', () => {
  const mix = mixedRequests();
  let path: HcmPath;
  let app: Server;
  let relay: HttpServer;
  let direct: Answer[];

  before(async () => {
    assert.ok(mix.length >= 200);
    path = await HcmPath.create();
    await path.startEmulator([NAME]);
    relay = relayedServer(path, NAME);
    app = createServer(handle).listen(0, '127.0.0.1');
    await once(app, 'listening');
    const origin = `http://127.0.0.1:${appPort()}`;
    direct = await sendAll(
      { origin, prefix: `/${NAME}`, headers: { Host: new URL(relay.origin).host } },
      mix,
    );
  });

  after(async () => {
    app.closeAllConnections();
    app.close();
    await path.stop();
  });

  function appPort(): number {
    return (app.address() as AddressInfo).port;
  }

  /** Sends all through the relay and compares. */
  async function compare(rules: Differences): Promise<void> {
    const relayed = await sendAll(relay, mix);
    const found: { title: string; by: string; actual: unknown; expected: unknown }[] = [];
    for (const [at, { title, request, by }] of mix.entries()) {
      const [theirs, ours] = [direct[at] as Answer, relayed[at] as Answer];
      if (request.abort !== undefined) continue;
      const expected = comparable(expectedThrough(observe(theirs), rules));
      const actual = comparable(withoutOwn(observe(ours), rules));
      if (!equal(actual, expected)) found.push({ title, by, actual, expected });
      if (!announcesItsLength(ours, request.method)) {
        found.push({ title, by, actual: ours.headers, expected: `the length ${ours.bytes}` });
      }
    }
    assert.deepEqual(
      found.map(({ title }) => title),
      [],
      JSON.stringify(found, undefined, 1),
    );
  }

  it("are answered by Microsoft's hyco-https as directly, but for the documented differences", async () => {
    const listener = await startHycoHttpsListener({
      ...hycoOptions(path, NAME, 'listener'),
      handler: HANDLER,
    });
    try {
      await compare(hycoDifferences());
    } finally {
      await listener.stop();
    }
  });

  it('are answered by the target of hcm listen as directly, but for the documented differences', async () => {
    const listener = await path.listen(NAME, `http://127.0.0.1:${appPort()}`);
    try {
      await compare(targetDifferences(new URL(relay.origin).host, `127.0.0.1:${appPort()}`, `/${NAME}`));
    } finally {
      await listener.stop();
    }
  });

  it('are answered by a program with a listener of its own as directly, but for the documented differences', async () => {
    const listener = await startOwnListener(path, NAME, handle);
    try {
      await compare(ownDifferences());
    } finally {
      await listener.stop();
    }
  });
});

async function sendAll(server: HttpServer, mix: readonly MixedRequest[]): Promise<Answer[]> {
  const client = new NodeClient(server);
  try {
    return await mapAtOnce(mix, AT_ONCE, async ({ title, by, request }) => {
      try {
        return await (by === 'curl' ? sendByCurl(server, request) : client.send(request));
      } catch (error) {
        throw new Error(`${title} (${by}): ${String(error)}`, { cause: error });
      }
    });
  } finally {
    client.close();
  }
}

/** How much of an answer was through before it broke off is nobody's promise. */
function comparable<T extends { end: Answer['end']; bytes: number; sha256: string }>(seen: T): T {
  return seen.end === 'cut' ? { ...seen, bytes: 0, sha256: '' } : seen;
}

function equal(actual: unknown, expected: unknown): boolean {
  try {
    assert.deepEqual(actual, expected);
    return true;
  } catch {
    return false;
  }
}
