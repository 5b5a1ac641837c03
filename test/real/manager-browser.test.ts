// The manager's web server and a real Chromium: the way in through a file of the user's, and what pages of other sites
// can do with the cookie that the browser has by then.
import assert from 'node:assert/strict';
import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { pathToFileURL } from 'node:url';
import { chromium, type Browser, type BrowserContext } from 'playwright-core';
import { openDashboard } from '../../src/lib/cli/manager/run-dashboard.ts';
import { Output } from '../../src/lib/cli/output.ts';
import type { ControlClient } from '../../src/manager/control/control-client.ts';
import type { ManagerOperations } from '../../src/manager/control/operations.ts';
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
    evil = createServer((_request, response) => {
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

  it('does as its own page asks', async () => {
    const page = await context.newPage();
    await page.goto(`${server.url}/`);
    const status = await page.evaluate(async () => (await fetch('/v1/reload', { method: 'POST' })).status);
    assert.deepEqual([status, reloads], [200, ['reload']]);
  });
});
