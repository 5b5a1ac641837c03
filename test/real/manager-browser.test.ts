// The manager's web server and a real Chromium: the way in through a file of the user's, and what pages of other sites, and
// whoever serves them, can do with what the browser has by then.
import assert from 'node:assert/strict';
import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { pathToFileURL } from 'node:url';
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';
import { openDashboard } from '../../src/lib/cli/manager/run-dashboard.ts';
import { Output } from '../../src/lib/cli/output.ts';
import type { ControlClient } from '../../src/manager/control/control-client.ts';
import type { ManagerOperations } from '../../src/manager/control/operations.ts';
import { PAGE_KEY_HEADER, PAGE_KEY_ITEM } from '../../src/manager/web/page-key.ts';
import { openWebServer, type WebServer } from '../../src/manager/web/web-server.ts';
import { systemClock } from '../../src/tunnel/clock.ts';

/** As text: what TypeScript's compiler adds is not there in a page. Each attempt, and what came of it. */
const ATTEMPTS = `(async () => {
  const url = 'URL_OF_HCM';
  const frameOf = async (act) => {
    const frame = document.createElement('iframe');
    frame.name = 'frame';
    document.body.append(frame);
    const loaded = new Promise((resolve) => frame.addEventListener('load', resolve, { once: true }));
    act(frame);
    await loaded;
    const seen = frame.contentDocument === null ? 'closed' : 'open: ' + frame.contentDocument.body.innerText;
    frame.remove();
    return seen;
  };
  const attempts = {
    read: async () => (await fetch(url + '/v1/manager', { credentials: 'include' })).text(),
    simple: async () => {
      const headers = { 'content-type': 'text/plain' };
      const how = { method: 'POST', mode: 'no-cors', credentials: 'include', body: '{}', headers };
      return (await fetch(url + '/v1/reload', how)).type;
    },
    form: () => frameOf((frame) => {
      const form = document.createElement('form');
      Object.assign(form, { method: 'POST', action: url + '/v1/reload', target: frame.name });
      document.body.append(form);
      form.submit();
    }),
    frame: () => frameOf((frame) => (frame.src = url + '/')),
    script: () => new Promise((resolve, reject) => {
      const tag = document.createElement('script');
      Object.assign(tag, { src: url + '/v1/manager', onload: resolve, onerror: reject });
      document.head.append(tag);
    }),
  };
  const outcomes = {};
  for (const [name, attempt] of Object.entries(attempts))
    outcomes[name] = await attempt().then(String, () => 'failed');
  return outcomes;
})()`;

describe("the manager's web server in a browser", () => {
  let folder: string;
  let server: WebServer;
  let evil: Server;
  let evilUrl: string;
  let browser: Browser;
  let context: BrowserContext;
  const reloads: string[] = [];
  /** What the browser sends to another port of this machine. */
  const sentElsewhere: IncomingHttpHeaders[] = [];

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hcm-browser-'));
    await mkdir(join(folder, 'page'));
    await writeFile(
      join(folder, 'page', 'index.html'),
      '<!doctype html><title>the page</title><h1>inside</h1>',
    );
    const operations = {
      describe: () => ({ version: '1.2.3' }),
      reload: () => Promise.resolve({ started: reloads.push('reload'), reopened: [], stopped: [] }),
    } as unknown as ManagerOperations;
    server = await openWebServer({
      ...{ port: 0, folder: join(folder, 'page'), operations, clock: systemClock },
      readiness: () => ({ ready: true, waitingFor: [] }),
      metrics: () => Promise.resolve({ type: 'text/plain', text: '' }),
    });
    // A page of another port of this machine: for cookies it is the same site.
    evil = createServer((request, response) => {
      sentElsewhere.push(request.headers);
      response.setHeader('Content-Type', 'text/html');
      response.end('<!doctype html><title>evil</title><body></body>');
    });
    await new Promise<void>((resolve) => evil.listen(0, '127.0.0.1', resolve));
    evilUrl = `http://127.0.0.1:${(evil.address() as AddressInfo).port}`;
    browser = await chromium.launch({
      executablePath: '/usr/bin/chromium',
      args: ['--no-sandbox', '--headless', '--disable-gpu'],
    });
    context = await browser.newContext();
  });
  after(async () => {
    await browser?.close();
    evil?.close();
    await server?.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** What the page of this origin keeps under the name of the key. */
  const keyIn = (page: Page) => page.evaluate<string | null>(`localStorage.getItem('${PAGE_KEY_ITEM}')`);
  /** What its own script is answered, with a key of its choice. */
  const asks = (page: Page, method: string, path: string, key?: string) => {
    const headers = JSON.stringify(key === undefined ? {} : { [PAGE_KEY_HEADER]: key });
    const call = `fetch('${path}', { method: '${method}', headers: ${headers} })`;
    return page.evaluate<number>(`${call}.then(({ status }) => status)`);
  };

  it('is entered through the file that hcm dashboard has written, once', async () => {
    const opened: string[] = [];
    await openDashboard({
      client: { dashboard: () => Promise.resolve(server.invite()) } as unknown as ControlClient,
      output: new Output({ stdout: new PassThrough(), stderr: new PassThrough() }),
      ...{ open: true, json: false, isTerminal: true, platform: 'darwin', env: { HCM_STATE_DIR: folder } },
      launch: (_command, args) => Promise.resolve(opened.push(...args) > 0),
    });
    const file = pathToFileURL(opened[0] ?? '').href;
    const page = await context.newPage();
    await page.goto(file);
    await page.waitForURL(`${server.url}/`);
    assert.equal(await page.locator('h1').innerText(), 'inside');
    assert.match((await keyIn(page)) ?? '', /^[\w-]{43}$/);
    // Each step there took the place of the one before.
    await page.goBack();
    assert.equal(page.url(), 'about:blank');
    const other = await (await browser.newContext()).newPage();
    await other.goto(file);
    await other.getByText('This link has been used').waitFor();
  });

  it('is of no use to a page of another port, cookie or not', async () => {
    const page = await context.newPage();
    await page.goto(evilUrl);
    const tried = await page.evaluate<Record<string, string>>(ATTEMPTS.replaceAll('URL_OF_HCM', server.url));
    const { read, simple, form, frame, script } = tried;
    assert.deepEqual([read, simple, frame, script], ['failed', 'failed', 'closed', 'failed']);
    assert.equal(form, 'closed');
    assert.deepEqual(reloads, [], 'none of them was heard');
  });

  it('is of no use to whoever serves another port, and is sent the cookie', async () => {
    const page = await context.newPage();
    sentElsewhere.length = 0;
    await page.goto(evilUrl);
    const { cookie = '', ...others } = sentElsewhere[0] ?? {};
    assert.match(cookie, /^hcm-session-\d+=[\w-]{43}$/, 'browsers do this');
    const own = await context.newPage();
    await own.goto(server.url);
    assert.ok(!JSON.stringify(others).includes((await keyIn(own)) ?? ''));
    assert.equal(await keyIn(page), null);
    for (const path of ['manager', 'events', 'connections', 'logs'])
      assert.equal((await fetch(`${server.url}/v1/${path}`, { headers: { cookie } })).status, 401, path);
    const headers = { cookie, origin: server.url };
    assert.equal((await fetch(`${server.url}/v1/reload`, { method: 'POST', headers })).status, 401);
    assert.deepEqual(reloads, []);
  });

  it('does as its own page asks, in any window of this browser', async () => {
    for (const path of ['/', '/#/log', '/index.html']) {
      const page = await context.newPage();
      await page.goto(server.url + path);
      const key = (await keyIn(page)) ?? '';
      reloads.length = 0;
      assert.equal(await asks(page, 'POST', '/v1/reload'), 401);
      assert.equal(await asks(page, 'POST', '/v1/reload', `x${key.slice(1)}`), 401);
      assert.deepEqual(reloads, []);
      assert.equal(await asks(page, 'POST', '/v1/reload', key), 200);
      assert.deepEqual(reloads, ['reload']);
    }
  });

  it('gives a new key for a new link', async () => {
    const page = await context.newPage();
    await page.goto(server.url);
    const old = (await keyIn(page)) ?? '';
    const other = await context.newPage();
    await other.goto(server.invite().url);
    await other.waitForURL(`${server.url}/`);
    const fresh = (await keyIn(page)) ?? '';
    assert.notEqual(fresh, old);
    assert.equal(await asks(page, 'GET', '/v1/manager', old), 401, 'its cookie is gone');
    assert.equal(await asks(page, 'GET', '/v1/manager', fresh), 200);
  });
});
