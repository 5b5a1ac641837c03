// The web page as a user opens it: `hcm service run`, `hcm dashboard`, and then what a browser asks.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { PAGE_KEY_HEADER } from '../../src/manager/web/page-key.ts';
import { HcmHome, type HcmProcess } from './hcm-process.ts';

type Json = Record<string, unknown>;

describe('hcm dashboard', function () {
  this.timeout(30_000);
  const home = new HcmHome();
  let manager: HcmProcess;
  let web: string;
  /** Whatever must stand in no output, log or event. */
  const secrets: string[] = [];

  before(async () => {
    manager = home.start(['service', 'run', '--json']);
    web = String((await manager.event('ready'))['web']);
  });
  after(() => home.remove());

  /** The link, its cookie as a browser sends it back, and what the page sends of itself besides. */
  async function signIn(
    env: NodeJS.ProcessEnv = {},
  ): Promise<{ url: string; cookie: string; page: Record<string, string> }> {
    const { status, stdout, stderr } = await home.run(['dashboard', '--json'], { env });
    assert.equal(status, 0, stderr);
    const { url } = JSON.parse(stdout) as { url: string };
    const answer = await fetch(url, { redirect: 'manual' });
    assert.equal(answer.status, 200);
    const cookie = answer.headers.getSetCookie()[0]?.split(';')[0] ?? '';
    const pageKey = /data-key="([^"]*)"/.exec(await answer.text())?.[1] ?? '';
    secrets.push(new URL(url).searchParams.get('code') ?? '', cookie.split('=')[1] ?? '', pageKey);
    return { url, cookie, page: { cookie, [PAGE_KEY_HEADER]: pageKey } };
  }

  it('the manager says where its web server is, on a port of its own choice', async () => {
    assert.match(web, /^http:\/\/127\.0\.0\.1:\d+$/);
    const { stdout } = await home.run(['status', '--json']);
    assert.equal((JSON.parse(stdout) as { manager: Json }).manager['web'], web);
    assert.equal((await fetch(`${web}/healthz`)).status, 200);
    assert.equal((await fetch(`${web}/readyz`)).status, 200);
    assert.match(await (await fetch(`${web}/metrics`)).text(), /^hcm_manager_info\{version="[\d.]+"\} 1$/m);
  });

  it('prints one link on stdout, and opens nothing where nobody sits', async () => {
    const { status, stdout, stderr } = await home.run(['dashboard']);
    assert.deepEqual([status, stderr], [0, '']);
    assert.match(stdout, /^http:\/\/127\.0\.0\.1:\d+\/\?code=[\w-]{43}\n$/);
    assert.ok(stdout.startsWith(web));
    secrets.push(stdout.trim().split('code=')[1] ?? '');
  });

  it('its link leads to the page, its files and the API, and only once', async () => {
    const { url, cookie, page: own } = await signIn();
    assert.equal((await fetch(url, { redirect: 'manual' })).status, 403);
    const page = await fetch(web, { headers: { cookie, 'sec-fetch-site': 'none' } });
    assert.equal(page.status, 200);
    const files = [...(await page.text()).matchAll(/(?:src|href)="([^"]+)"/g)].map(([, file = '']) => file);
    assert.ok(files.length >= 2, 'the page has a script and a style');
    for (const file of files) {
      const asked = new URL(file, web);
      assert.equal(asked.origin, web, 'nothing comes from elsewhere');
      const headers = { cookie, 'sec-fetch-site': 'same-origin' };
      assert.equal((await fetch(asked, { headers })).status, 200, file);
      assert.equal((await fetch(asked)).status, 403, file);
    }
    assert.equal((await fetch(`${web}/v1/manager`, { headers: { cookie } })).status, 401);
    const api = await fetch(`${web}/v1/manager`, { headers: own });
    assert.equal(((await api.json()) as Json)['pid'], manager.child.pid);
    const reload = (headers: Record<string, string>) =>
      fetch(`${web}/v1/reload`, { method: 'POST', headers: { ...own, ...headers } });
    assert.equal((await reload({})).status, 403);
    assert.equal((await reload({ origin: web })).status, 200);
  });

  it('follows events until the manager ends; two managers of one machine keep their cookies apart', async () => {
    const env = { HCM_STATE_DIR: home.path('other') };
    const other = home.start(['service', 'run', '--json'], env);
    const otherWeb = String((await other.event('ready'))['web']);
    const first = await signIn();
    const second = await signIn(env);
    // The browser sends both cookies to both; each page has its own key.
    const cookie = `${first.cookie}; ${second.cookie}`;
    assert.equal((await fetch(`${web}/v1/manager`, { headers: { ...first.page, cookie } })).status, 200);
    assert.equal((await fetch(`${web}/v1/manager`, { headers: { ...second.page, cookie } })).status, 401);
    const events = await fetch(`${otherWeb}/v1/events`, { headers: { ...second.page, cookie } });
    const reader = events.body?.pipeThrough(new TextDecoderStream()).getReader();
    assert.match((await reader?.read())?.value ?? '', /^\{"event":"snapshot"/);
    assert.equal((await fetch(`${otherWeb}/v1/manager`, { headers: first.page })).status, 401);
    assert.equal((await other.interrupt()).status, 0);
    await assert.rejects(async () => {
      while (!(await reader?.read())?.done);
    });
  });

  it('a port that is taken is status 2, and says what to do', async () => {
    const env = { HCM_STATE_DIR: home.path('third'), HCM_HTTP_PORT: new URL(web).port };
    const { status, stdout } = await home.run(['service', 'run', '--json'], { env });
    const { error } = JSON.parse(stdout) as { error: Json };
    assert.deepEqual([status, error['code']], [2, 'HCM_BIND_FAILED']);
    assert.match(String(error['next']), /--http-port 0/);
  });

  it('without a manager, or without its web server, is status 7', async () => {
    const env = { HCM_STATE_DIR: home.path('fourth') };
    const nobody = await home.run(['dashboard'], { env });
    assert.equal(nobody.status, 7);
    assert.match(nobody.stderr, /hcm service run/);
    const mute = home.start(['service', 'run', '--no-http', '--json'], env);
    assert.equal((await mute.event('ready'))['web'], undefined);
    const { status, stdout } = await home.run(['dashboard', '--json'], { env });
    const { error } = JSON.parse(stdout) as { error: Json };
    assert.deepEqual([status, error['code']], [7, 'HCM_NOT_RUNNING']);
    assert.match(String(error['message']), /without its web server/);
    await mute.interrupt();
  });

  it('no code, no cookie and no key stands in what the manager has told or written', async () => {
    assert.equal((await manager.interrupt()).status, 0);
    const told = [
      manager.stdout,
      manager.stderr,
      readFileSync(home.path('state/hcm/manager/manager.log'), 'utf8'),
    ];
    assert.ok(secrets.length >= 10 && secrets.every((secret) => secret.length === 43));
    for (const secret of secrets) assert.ok(!told.some((text) => text.includes(secret)));
  });
});
