// Real sites behind `hcm listen --target http://...`: nginx, an express application, a PHP application. Ten thousand requests,
// half of them to the relay with a token and half through `hcm forward --http`, each compared with the same one sent directly.
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HcmPath } from './hcm-path.ts';
import {
  announcesItsLength,
  expectedThrough,
  observe,
  siteDifferences,
  withoutOwn,
} from './http/differences.ts';
import { NodeClient, type HttpRequest } from './http/exchange.ts';
import { mapAtOnce } from './http/many.ts';
import { patternOf } from './http/pattern.ts';
import { relayedServer } from './http/relay-http.ts';
import { FILES, scenarios, type Scenario, type Site } from './http/site-mix.ts';
import { startNginx } from './servers/nginx.ts';
import { startPhp } from './servers/php.ts';
import type { RealServer } from './servers/server-directory.ts';
import { startWebApp } from './servers/web-app.ts';

const REQUESTS = 10_000;
const SEED = 20_261_122;
const AT_ONCE = 24;
const SITES: readonly Site[] = ['nginx', 'express', 'php'];
/** Differences that are shown. */
const SHOWN = 5;

type Way = 'token' | 'forward';

describe('real sites through the relay', () => {
  let path: HcmPath;
  let filesDirectory: string;
  const servers = new Map<Site, RealServer>();
  const clients = new Map<string, NodeClient>();

  before(async () => {
    path = await HcmPath.create();
    filesDirectory = await mkdtemp(join(tmpdir(), 'hcm-real-files-'));
    const nginx = await startNginx();
    servers.set('nginx', nginx);
    await Promise.all([writeFiles(filesDirectory), writeFiles(nginx.rootDirectory)]);
    await mkdir(join(nginx.rootDirectory, 'folder'));
    servers.set('express', await startWebApp(filesDirectory));
    servers.set('php', await startPhp());
    await path.startEmulator(SITES.map((site) => `site/${site}`));
    await Promise.all(SITES.map(open));
  });

  after(async () => {
    for (const client of clients.values()) client.close();
    await path.stop();
    await Promise.all([...servers.values()].map((server) => server.stop()));
    await rm(filesDirectory, { recursive: true, force: true });
  });

  /** A listener in front of the site, a local port for it, and a client for each way to it. */
  async function open(site: Site): Promise<void> {
    const origin = `http://127.0.0.1:${portOf(site)}`;
    const name = `site/${site}`;
    await path.listen(name, origin);
    const port = await path.forward(name, ['--http']);
    clients.set(`direct ${site}`, new NodeClient({ origin }, { maxSockets: AT_ONCE, asksAgain: true }));
    clients.set(`token ${site}`, new NodeClient(relayedServer(path, name), { maxSockets: AT_ONCE }));
    clients.set(
      `forward ${site}`,
      new NodeClient({ origin: `http://127.0.0.1:${port}` }, { maxSockets: AT_ONCE }),
    );
  }

  function portOf(site: Site): number {
    return servers.get(site)?.port ?? 0;
  }

  /** All steps by both ways; what differs, in words. */
  async function differencesOf(scenario: Scenario, way: Way): Promise<string[]> {
    const { site, steps, ofTheMoment = [] } = scenario;
    const prefix = way === 'token' ? `/site/${site}` : '';
    const rules = siteDifferences({
      targetHost: `127.0.0.1:${portOf(site)}`,
      prefix,
      splitsCookies: way === 'forward',
    });
    const direct = await sendSteps(`direct ${site}`, steps);
    const relayed = await sendSteps(`${way} ${site}`, steps);
    return steps.flatMap(({ method, path: asked }, at) => {
      const [theirs, ours] = [direct[at], relayed[at]];
      if (theirs === undefined || ours === undefined) return [`${method} ${asked}: not sent`];
      const expected = without(expectedThrough(observe(theirs), rules), ofTheMoment);
      const actual = without(withoutOwn(observe(ours), rules), ofTheMoment);
      const found: string[] = [];
      if (JSON.stringify(sorted(actual)) !== JSON.stringify(sorted(expected))) {
        found.push(
          `${way} ${method} ${site} ${asked}\n  got    ${JSON.stringify(actual)}\n  direct ${JSON.stringify(expected)}`,
        );
      }
      if (!announcesItsLength(ours, method))
        found.push(`${way} ${method} ${site} ${asked}: another length than said`);
      return found;
    });
  }

  async function sendSteps(client: string, steps: readonly HttpRequest[]) {
    const answers = [];
    for (const step of steps) {
      try {
        answers.push(await clients.get(client)?.send(step));
      } catch (cause) {
        throw new Error(`${client}: ${step.method} ${step.path}: ${String(cause)}`, { cause });
      }
    }
    return answers;
  }

  it('10,000 requests of a seeded mix are answered as directly, but for the documented differences', async () => {
    const all = scenarios(REQUESTS, SEED);
    const requests = all.reduce((sum, { steps }) => sum + steps.length, 0);
    assert.ok(requests >= REQUESTS);
    const found = await mapAtOnce(all, AT_ONCE, (scenario, at) => {
      return differencesOf(scenario, at % 2 === 0 ? 'token' : 'forward');
    });
    const differences = found.flat();
    assert.equal(
      differences.length,
      0,
      `${differences.length} of ${requests}:\n${differences.slice(0, SHOWN).join('\n')}`,
    );
  });

  it('server-sent events arrive while they are made, both ways', async () => {
    for (const way of ['token', 'forward'] as const) {
      const answer = await clients
        .get(`${way} express`)
        ?.send({ method: 'GET', path: '/endless', abort: 'receiving' });
      assert.equal(answer?.status, 200);
      assert.match(String(answer.body), /^data: first/);
    }
  });
});

async function writeFiles(directory: string): Promise<void> {
  for (const [name, bytes] of Object.entries(FILES)) {
    await writeFile(join(directory, name), patternOf(bytes), { mode: 0o644 });
  }
}

function without<T extends { headers: Readonly<Record<string, unknown>> }>(
  seen: T,
  names: readonly string[],
): T {
  const headers = Object.entries(seen.headers).filter(([name]) => !names.includes(name));
  return { ...seen, headers: Object.fromEntries(headers) };
}

/** The order of headers of different names means nothing. */
function sorted<T extends { headers: Readonly<Record<string, unknown>> }>(seen: T): T {
  const headers = Object.entries(seen.headers).sort(([one], [other]) => (one < other ? -1 : 1));
  return { ...seen, headers: Object.fromEntries(headers) };
}
