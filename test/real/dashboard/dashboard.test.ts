// The page of the manager as a person meets it: the real program, real bytes through a real tunnel, a real browser.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:net';
import type { Page } from 'playwright-core';
import { PAGE_KEY_HEADER, PAGE_KEY_ITEM } from '../../../src/manager/web/page-key.ts';
import { answerReversed, client, portOf, startServer } from '../../e2e/relay-home.ts';
import { RealBrowser, type BrowserPage } from './browser.ts';
import { ManagerBed } from './manager-bed.ts';

/** What a person takes for "at once", and the bound for events that can be seen. */
const AT_ONCE = { timeout: 2_000 };

describe('the page of the manager', function () {
  this.timeout(90_000);
  const bed = new ManagerBed();
  let browser: RealBrowser;
  let reversing: Server;
  let echoing: Server;

  before(async () => {
    reversing = await startServer(answerReversed);
    echoing = await startServer((socket) => socket.pipe(socket));
    await bed.startRelay({ db: echoing, web: reversing, spare: undefined });
    writeFileSync(bed.path('hcm.yaml'), 'manager: {listeners: [], forwards: []}\n');
    await bed.startManager('--file', 'hcm.yaml');
    browser = await RealBrowser.start();
  });
  afterEach(function () {
    return browser.closePages({ check: this.currentTest?.state === 'passed' });
  });
  after(async () => {
    await browser.stop();
    reversing.close();
    echoing.close();
    await bed.remove();
  });

  const open = async (hash = '', options = {}): Promise<BrowserPage> => {
    const url = await bed.invite();
    const opened = await browser.open(url, options);
    if (hash !== '') await opened.page.goto(`${new URL(url).origin}/${hash}`);
    return opened;
  };
  const hashOf = (id: string) => `#/connection/${encodeURIComponent(id)}`;
  const row = (page: Page, connection: string, role = 'listener') =>
    page.locator('.row', { hasText: connection }).filter({ hasText: role });

  it('says how to begin when there is nothing yet', async () => {
    const opened = await open();
    const { page } = opened;
    await page.getByRole('heading', { name: 'No connections yet' }).waitFor();
    await page.getByText('hcm add --connection-string-file FILE').waitFor();
    assert.deepEqual(await opened.axeInBoth(), []);
  });

  it('says that a connection of a bookmark is gone, without an error in the console', async () => {
    const { page } = await open(hashOf('listen localhost/gone'));
    const asked = page.waitForResponse((response) => response.url().endsWith('listen%20localhost%2Fgone'));
    await page.getByRole('heading', { name: 'No such connection' }).waitFor();
    assert.equal((await asked).status(), 200);
    await page.getByRole('link', { name: 'All connections', exact: true }).click();
    await page.getByRole('heading', { name: 'No connections yet' }).waitFor();
  });

  it('shows a connection that is added elsewhere, at once', async () => {
    const { page } = await open();
    await page.getByRole('heading', { name: 'No connections yet' }).waitFor();
    await bed.add('db-listen.txt');
    await bed.becomes('listen localhost/db', 'online');
    await row(page, 'localhost/db').getByText('Online').waitFor(AT_ONCE);
    await row(page, 'localhost/db')
      .getByText(`127.0.0.1:${portOf(echoing)}`)
      .waitFor(AT_ONCE);
  });

  it('moves bytes and streams while a transfer runs', async () => {
    await bed.add('db-send.txt', '--bind', '127.0.0.1:0');
    await bed.becomes('forward localhost/db', 'online');
    const { page } = await open(hashOf('listen localhost/db'));
    const bind = await row(page, 'localhost/db', 'forward').locator('.leads .mono').innerText();
    const socket = await client(Number(bind.split(':')[1]));
    socket.on('data', () => undefined);
    const timer = setInterval(() => socket.write(Buffer.alloc(50_000)), 50);
    try {
      const streams = page.locator('section', { has: page.getByRole('heading', { name: /^Open streams/ }) });
      await streams.locator('tbody tr').waitFor();
      const flow = row(page, 'localhost/db').locator('.flow');
      await flow.filter({ hasText: /\d (kB|MB)\/s/ }).waitFor();
      const carried = streams.locator('tbody tr td').nth(3);
      const before = await carried.innerText();
      await carried.filter({ hasNotText: before }).waitFor();
      await page.getByRole('img', { name: /^Throughput: In .*[kM]B\/s/ }).waitFor();
      await page.getByRole('img', { name: /^Time to open a stream: Median .*m?s/ }).waitFor();
    } finally {
      clearInterval(timer);
      socket.destroy();
    }
    await page.getByText('None now.').waitFor();
    assert.match(await page.locator('.numbers').innerText(), /In, in all\s+\d.*[kM]B/);
  });

  it('shows a connection that goes when the relay is killed, and comes when it is there again', async () => {
    const { page } = await open();
    await row(page, 'localhost/db').getByText('Online').waitFor();
    let since = new Date().toISOString();
    await bed.killRelay();
    await bed.becomes('listen localhost/db', 'waiting', since);
    const gone = row(page, 'localhost/db').filter({ hasText: /Waiting|Connecting/ });
    await gone.waitFor(AT_ONCE);
    await gone.getByText('Next').waitFor();
    since = new Date().toISOString();
    await bed.restartRelay();
    await bed.becomes('listen localhost/db', 'online', since);
    await row(page, 'localhost/db').getByText('Online').waitFor(AT_ONCE);
    await page.getByRole('status').filter({ hasText: 'localhost/db is online.' }).waitFor();
  });

  it('adds, tests, restarts and removes a connection by keyboard alone', async () => {
    const opened = await open();
    const { page } = opened;
    const { keyboard } = page;
    await row(page, 'localhost/db').first().waitFor();
    await opened.tabTo(page.getByRole('button', { name: 'Add connection' }));
    await keyboard.press('Enter');
    await opened.tabTo(page.getByLabel('Connection string'));
    await keyboard.insertText(readFileSync(bed.path('web-listen.txt'), 'utf8'));
    await keyboard.press('Tab');
    await keyboard.press('Tab');
    await keyboard.insertText(`127.0.0.1:${portOf(reversing)}`);
    await keyboard.press('Enter');
    await page.getByRole('heading', { name: 'localhost/web' }).waitFor();
    await page.locator('.details-head').getByText('Online').waitFor();

    await opened.tabTo(page.getByRole('button', { name: 'Test' }));
    await keyboard.press('Enter');
    const report = page.getByRole('dialog', { name: 'Test of localhost/web' });
    await report.getByText('All is well').waitFor({ timeout: 60_000 });
    await keyboard.press('Escape');
    await report.waitFor({ state: 'detached' });

    const since = new Date().toISOString();
    await opened.tabTo(page.getByRole('button', { name: 'Restart' }));
    await keyboard.press('Enter');
    await page.getByText('localhost/web is opened anew.').waitFor();
    await bed.becomes('listen localhost/web', 'online', since);

    await opened.tabTo(page.getByRole('button', { name: 'Remove' }));
    await keyboard.press('Enter');
    await page.getByRole('dialog', { name: 'Remove localhost/web?' }).waitFor();
    await opened.tabTo(page.getByRole('dialog').getByRole('button', { name: 'Remove' }));
    await keyboard.press('Enter');
    await page.getByText('localhost/web is removed.').waitFor();
    await row(page, 'localhost/web').waitFor({ state: 'detached' });
    await page.locator('main:focus').waitFor();
    await bed.becomes('listen localhost/web', 'stopped', since);
  });

  it('adds a listener with the target that Azure names, once that is confirmed', async () => {
    const opened = await open();
    const { page } = opened;
    await page.getByRole('button', { name: 'Add connection' }).click();
    const dialog = page.getByRole('dialog');
    const secret = dialog.getByLabel('Connection string');
    await secret.fill(readFileSync(bed.path('spare-listen.txt'), 'utf8').trim());
    await dialog.getByRole('button', { name: 'Add', exact: true }).click();
    await dialog.getByText('Azure names no target for localhost/spare').waitFor();
    opened.forgive(/status of 400/);
    await secret.fill(readFileSync(bed.path('web-listen.txt'), 'utf8').trim());
    await dialog.getByRole('button', { name: 'Add', exact: true }).click();
    const told = dialog.getByRole('status');
    await told.filter({ hasText: `127.0.0.1:${portOf(reversing)}` }).waitFor();
    assert.equal(await row(page, 'localhost/web').count(), 0, 'nothing is added before it is confirmed');
    await dialog.getByRole('textbox', { name: 'Connection', exact: true }).fill('web');
    await told.filter({ hasText: 'Azure' }).waitFor({ state: 'detached' });
    await dialog.getByRole('button', { name: 'Add', exact: true }).click();
    await opened.noteTexts('main');
    const adding = page.waitForRequest((request) => request.url().endsWith('/v1/connections'));
    await dialog.getByRole('button', { name: 'Confirm and add' }).click();
    const { pinnedTarget } = (await adding).postDataJSON() as { pinnedTarget?: string };
    assert.equal(pinnedTarget, `127.0.0.1:${portOf(reversing)}`, 'what was confirmed is what counts');
    await page.getByRole('heading', { name: 'localhost/web' }).waitFor();
    const seen = await opened.noted();
    assert.ok(
      seen.length > 0 && !seen.some((text) => text.includes('No such connection')),
      'it is known when it is shown',
    );
    await page.locator('.details-head').getByText('Online').waitFor();
    await page
      .locator('.details-head')
      .getByText(`127.0.0.1:${portOf(reversing)}`)
      .waitFor();
    const { status } = await bed.run(['remove', 'localhost/web']);
    assert.equal(status, 0);
    await page.getByRole('heading', { name: 'No such connection' }).waitFor();
  });

  it('tells bad input at its field, and loses nothing of it', async () => {
    const { page } = await open();
    await page.getByRole('button', { name: 'Add connection' }).click();
    const dialog = page.getByRole('dialog');
    const secret = dialog.getByLabel('Connection string');
    const broken = readFileSync(bed.path('web-listen.txt'), 'utf8').trim().replace('Endpoint=', '');
    await secret.fill(broken);
    await dialog.getByRole('textbox', { name: 'Target' }).fill('no port');
    await dialog.getByRole('button', { name: 'Add', exact: true }).click();
    await dialog.getByText(/^The connection string/).waitFor();
    await dialog.getByText(/^The target "no port" cannot be used/).waitFor();
    assert.equal(await secret.getAttribute('aria-invalid'), 'true');
    await secret.and(page.locator(':focus')).waitFor();
    assert.deepEqual(
      [await secret.inputValue(), await dialog.getByRole('textbox', { name: 'Target' }).inputValue()],
      [broken, 'no port'],
    );
    const key = /SharedAccessKey=([^;]+)/.exec(broken)?.[1] ?? '';
    assert.ok(!(await page.content()).includes(key), 'the secret stands nowhere but in its field');
    assert.equal(await secret.getAttribute('type'), 'password');
  });

  it('tells what the manager refuses, keeps what was typed, and forgets the secret with the dialog', async () => {
    const opened = await open();
    const { page } = opened;
    await page.getByRole('button', { name: 'Add connection' }).click();
    const dialog = page.getByRole('dialog');
    const entry = `manager:\n  listeners:\n    - connection: localhost/spare\n      connectionStringFile: spare-listen.txt\n      target: 127.0.0.1:9\n`;
    writeFileSync(bed.path('hcm.yaml'), entry);
    await bed.becomes('listen localhost/spare', 'online');
    const text = readFileSync(bed.path('spare-listen.txt'), 'utf8').trim();
    await dialog.getByLabel('Connection string').fill(text);
    await dialog.getByRole('textbox', { name: 'Target' }).fill('127.0.0.1:9');
    await dialog.getByRole('button', { name: 'Add', exact: true }).click();
    await dialog.getByRole('alert').getByText('HCM_RESOURCE_CONFLICT', { exact: true }).waitFor();
    assert.equal(await dialog.getByLabel('Connection string').inputValue(), text);
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Add connection' }).click();
    assert.equal(await page.getByRole('dialog').getByLabel('Connection string').inputValue(), '');
    opened.forgive(/409/);
  });

  it('leaves a connection of the file to its file', async () => {
    const { page } = await open(hashOf('listen localhost/spare'));
    await page.getByText('It stands in the manager’s file; change it there.').waitFor();
    assert.equal(await page.getByRole('button', { name: 'Remove' }).count(), 0);
  });

  it('tells the problems of the manager, as long as there are any', async () => {
    const { page } = await open();
    await row(page, 'localhost/db').first().waitFor();
    const since = new Date().toISOString();
    writeFileSync(bed.path('hcm.yaml'), 'manager: {listeners: [{wrong: 1}]}\n');
    // While the file was written before, it may have been read half.
    await bed.manager.event('problem', (line) => String(line['time']) >= since);
    const alert = page.getByRole('alert').getByText('HCM_CONFIG_INVALID', { exact: true });
    await alert.waitFor(AT_ONCE);
    writeFileSync(bed.path('hcm.yaml'), 'manager: {listeners: [], forwards: []}\n');
    await alert.waitFor({ state: 'detached' });
  });

  it('confirms a target that was changed in Azure', async () => {
    const moved = ['connection', 'update', 'local-relay/db', '--target', `127.0.0.1:${portOf(reversing)}`];
    assert.equal((await bed.run([...moved, '--cloud', 'local'])).status, 0);
    const opened = await open(hashOf('listen localhost/db'));
    const { page } = opened;
    let since = new Date().toISOString();
    await page.getByRole('button', { name: 'Restart' }).click();
    await bed.becomes('listen localhost/db', 'degraded', since);
    await page.locator('.details').getByText('HCM_TARGET_NOT_ALLOWED', { exact: true }).first().waitFor();
    await page.getByRole('button', { name: 'Accept target' }).click();
    const accept = page
      .getByRole('dialog')
      .getByRole('button', { name: `Accept 127.0.0.1:${portOf(reversing)}` });
    await accept.waitFor();
    assert.deepEqual(await opened.axeInBoth(), []);
    since = new Date().toISOString();
    await accept.click();
    await bed.becomes('listen localhost/db', 'online', since);
    await page.locator('.details-head').getByText('Online').waitFor(AT_ONCE);
    assert.equal(await page.getByRole('button', { name: 'Accept target' }).count(), 0);
  });

  it('shows the log as it comes, by connection and by text', async () => {
    const { page } = await open('#/log');
    const lines = page.getByRole('list', { name: 'Log of the manager' }).getByRole('listitem');
    await lines.filter({ hasText: 'HCM_TARGET_NOT_ALLOWED' }).first().waitFor();
    await page.getByRole('combobox', { name: 'Connection' }).selectOption('forward localhost/db');
    await lines.filter({ hasText: 'HCM_TARGET_NOT_ALLOWED' }).first().waitFor({ state: 'detached' });
    await page.getByLabel('Only lines with').fill('no line has this');
    await page.getByText('No such lines.').waitFor();
    await page.getByLabel('Only lines with').fill('');
    await page.getByRole('combobox', { name: 'Connection' }).selectOption('All');
    await bed.run(['restart', 'localhost/db', '--role', 'listener']);
    await lines.last().filter({ hasText: 'online' }).waitFor();
  });

  it('keeps its view and its colours over a reload', async () => {
    const { page } = await open();
    await row(page, 'localhost/db', 'forward').getByRole('link').click();
    await page.getByRole('button', { name: 'Colours: as the system' }).click();
    await page.getByRole('button', { name: 'Colours: light' }).click();
    await page.reload();
    await page.getByRole('heading', { name: 'localhost/db', level: 1 }).waitFor();
    assert.match(page.url(), /#\/connection\/forward/);
    await page.getByRole('button', { name: 'Colours: dark' }).waitFor();
  });

  it('has its key in no address, and shows a bookmark in a new tab', async () => {
    const { page } = await open();
    await row(page, 'localhost/db').first().waitFor();
    const { origin } = new URL(page.url());
    assert.equal(page.url(), `${origin}/`);
    const key = await page.evaluate<string>(`localStorage.getItem('${PAGE_KEY_ITEM}')`);
    const request = await page.waitForRequest(/\/v1\/connections\?/);
    assert.equal(await request.headerValue(PAGE_KEY_HEADER), key);
    assert.ok(!request.url().includes(key) && !(await page.content()).includes(key));
    const tab = await page.context().newPage();
    await tab.goto(`${origin}/#/log`);
    await tab.locator('.log li').first().waitFor();
    assert.equal(tab.url(), `${origin}/#/log`);
  });

  it('says that its session is over when it has another key, until there is a new link', async () => {
    const opened = await open(hashOf('listen localhost/db'));
    const { page } = opened;
    await page.locator('.details-head').getByText('Online').waitFor();
    await page.evaluate(`localStorage.setItem('${PAGE_KEY_ITEM}', '${'A'.repeat(43)}')`);
    const over = page.getByRole('alert').getByText('The session of this page is over.');
    await over.waitFor();
    await page.reload();
    await over.waitFor();
    const other = await page.context().newPage();
    await other.goto(await bed.invite());
    await page.locator('.details-head').getByText('Online').waitFor();
    assert.equal(await over.count(), 0);
    opened.forgive(/401/);
  });

  it('says that a link was used up, and how to get a new one', async () => {
    const url = await bed.invite();
    await browser.open(url);
    const second = await browser.open(url);
    await second.page.getByText('hcm dashboard').waitFor();
    second.forgive(/403/);
  });

  it('says at once that the manager is gone, and that a new one needs a new link', async () => {
    const opened = await open();
    const { page } = opened;
    await row(page, 'localhost/db').first().getByText('Online').waitFor();
    const { port } = new URL(page.url());
    bed.manager.kill('SIGKILL');
    await bed.manager.ended;
    await page
      .getByRole('alert')
      .getByText(/^The manager does not answer/)
      .waitFor(AT_ONCE);
    await row(page, 'localhost/db').first().getByText('Was online').waitFor();
    await bed.startManager('--file', 'hcm.yaml', '--http-port', port);
    await page.getByRole('alert').getByText('The session of this page is over.').waitFor();
    // Another window of the same browser gets a new session; this page has it, too.
    const other = await page.context().newPage();
    await other.goto(await bed.invite());
    await row(page, 'localhost/db').first().getByText('Online', { exact: true }).waitFor();
    assert.equal(
      await page
        .getByRole('alert')
        .getByText(/session|answer/)
        .count(),
      0,
    );
    opened.forgive(/ERR_|401/);
  });

  it('comes back by itself when a manager that hung goes on', async () => {
    const opened = await open();
    const { page } = opened;
    await row(page, 'localhost/db').first().getByText('Online').waitFor();
    bed.manager.kill('SIGSTOP');
    try {
      await page
        .getByRole('alert')
        .getByText(/^The manager does not answer/)
        .waitFor();
    } finally {
      bed.manager.kill('SIGCONT');
    }
    await row(page, 'localhost/db').first().getByText('Online', { exact: true }).waitFor();
    assert.equal(await page.getByRole('alert').getByText('answer').count(), 0);
    opened.forgive(/ERR_/);
  });

  it('has no secret in what it loads and shows', async () => {
    const { page } = await open(hashOf('listen localhost/db'));
    const bodies: string[] = [];
    page.on(
      'response',
      (response) =>
        void response.text().then(
          (body) => bodies.push(body),
          () => undefined,
        ),
    );
    await page.reload();
    await page.locator('.details-head').getByText('Online').waitFor();
    bodies.push(await page.content());
    for (const { listenerConnectionString, senderConnectionString } of bed.connections) {
      for (const text of [listenerConnectionString, senderConnectionString]) {
        const key = /SharedAccessKey=([^;]+)/.exec(text)?.[1] ?? 'none';
        for (const body of bodies) assert.ok(!body.includes(key));
      }
    }
  });

  for (const colorScheme of ['light', 'dark'] as const) {
    it(`has nothing that axe finds wrong, in ${colorScheme}`, async () => {
      const opened = await open('', { colorScheme });
      const { page } = opened;
      const found: Record<string, string[]> = {};
      await row(page, 'localhost/db').first().getByText('Online').waitFor();
      found['list'] = await opened.axe();
      await page.getByRole('button', { name: 'Add connection' }).click();
      await page.getByRole('button', { name: 'Add', exact: true }).click();
      await page.getByText('Give a connection string, or').waitFor();
      found['add'] = await opened.axe();
      await page.keyboard.press('Escape');
      await row(page, 'localhost/db').first().getByRole('link').click();
      await page.getByRole('heading', { name: 'Last errors' }).waitFor();
      await page.getByText('The same as a table').click();
      found['details'] = await opened.axe();
      await page.getByRole('button', { name: 'Test' }).click();
      await page.getByRole('list', { name: 'Proofs' }).waitFor({ timeout: 60_000 });
      found['test'] = await opened.axe();
      await page.keyboard.press('Escape');
      await page.getByRole('button', { name: 'Remove' }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Keep it' }).waitFor();
      found['remove'] = await opened.axe();
      await page.keyboard.press('Escape');
      await page.getByRole('link', { name: 'Log', exact: true }).click();
      await page.getByRole('heading', { name: 'Log', level: 1 }).waitFor();
      found['log'] = await opened.axe();
      await page.setViewportSize({ width: 390, height: 844 });
      await page.getByRole('link', { name: 'Connections', exact: true }).click();
      await row(page, 'localhost/db').first().waitFor();
      found['phone'] = await opened.axe();
      assert.deepEqual(found, { list: [], add: [], details: [], test: [], remove: [], log: [], phone: [] });
    });
  }
});
