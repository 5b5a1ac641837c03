// The page with 50 connections and 1,000 streams that all move: what changes is drawn, and nothing else.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { Locator, Page } from 'playwright-core';
import { PAGE_KEY_ITEM } from '../../../src/manager/web/page-key.ts';
import { HcmError } from '../../../src/protocol/errors.ts';
import { until } from '../../helpers/until.ts';
import { RealBrowser, type BrowserPage } from './browser.ts';
import { ManyConnections } from './many-connections.ts';

const FOLDER = join(import.meta.dirname, '..', '..', '..', 'dist', 'dashboard');

/** Counts what is drawn anew in each row from now on, but for words that only a screen reader has. */
const COUNT_CHANGES = `
  window.drawn = {};
  for (const row of document.querySelectorAll('.row')) {
    const name = row.querySelector('.row-link').textContent;
    window.drawn[name] = 0;
    new MutationObserver((changes) => (window.drawn[name] += changes.length))
      .observe(row, { subtree: true, childList: true, characterData: true, attributes: true });
  }
`;

/** The page waits longer for an answer: on a busy machine its own limit would come before what is held is let go. */
const PATIENT = `
  const timeout = AbortSignal.timeout.bind(AbortSignal);
  AbortSignal.timeout = (delayMs) => timeout(delayMs * 10);
`;
/** What the page asks the manager to do goes wrong in the moment that `lose` is called. */
const LOSES = `
  const ask = window.fetch;
  window.fetch = (address, options) => options.method === 'POST'
    ? new Promise((_, reject) => (window.lose = () => reject(new TypeError('lost'))))
    : ask(address, options);
`;
const LDAP = 'listen contoso-relay/ldap-2';
const ERP = 'listen contoso-relay/erp-3';
const LDAP_BADGE = `.row:has([href$="${encodeURIComponent(LDAP)}"]) .badge`;
const REFUSED = { code: 'HCM_CONNECT_REFUSED', message: 'The relay refused the connection' } as const;
const FAILED = new HcmError('HCM_UNEXPECTED', 'The manager has stumbled.');

describe('the page of a manager with very much to show', function () {
  this.timeout(60_000);
  const many = new ManyConnections();
  let browser: RealBrowser;

  before(async () => {
    await many.start(FOLDER);
    browser = await RealBrowser.start();
  });
  afterEach(function () {
    many.reset();
    return browser.closePages({ check: this.currentTest?.state === 'passed' });
  });
  after(async () => {
    await browser.stop();
    await many.close();
  });

  const open = async (hash: string): Promise<BrowserPage> => {
    const url = many.invite();
    const opened = await browser.open(url);
    await opened.page.goto(`${new URL(url).origin}/${hash}`);
    await opened.page.locator('.row').nth(49).waitFor();
    return opened;
  };
  const noticeOf = (page: Page) =>
    page.getByRole('status', { name: 'Notices' }).getByRole('paragraph').first();
  /** So many answers of the manager later. */
  const polls = async (page: Page, count: number) => {
    for (let at = 0; at < count; at += 1) await page.waitForResponse(/\/v1\/connections\?details=/);
  };

  /** The form, with all that a forward without a key needs. */
  const fillForward = async (page: Page) => {
    await page.getByRole('button', { name: 'Add connection' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('radio', { name: /^Forward/ }).check();
    await dialog.getByRole('textbox', { name: 'Connection', exact: true }).fill('my-relay/db');
    await dialog.getByRole('textbox', { name: 'Local address' }).fill('127.0.0.1:1433');
    return { dialog, add: dialog.getByRole('button', { name: 'Add', exact: true }) };
  };

  const ldapRow = (page: Page) => page.locator('.row', { hasText: 'contoso-relay/ldap-2' }).first();

  it('draws no row whose connection rests, and each that moves', async () => {
    const { page } = await open('#/');
    await polls(page, 1);
    await page.evaluate(COUNT_CHANGES);
    await polls(page, 3);
    const drawn = await page.evaluate<Record<string, number>>('window.drawn');
    const rests = Object.entries(drawn).filter(([name]) => Number(name.split('-').at(-1)) % 3 === 2);
    const states = ['contoso-relay/ldap-8'];
    assert.ok(rests.length > 10);
    for (const [name, changes] of rests) if (!states.includes(name)) assert.equal(changes, 0, name);
    assert.ok((drawn['contoso-relay/web-1'] ?? 0) > 0);
  });

  it('shows a change of state in its row at once, and counts it', async () => {
    const { page } = await open('#/');
    await page.getByRole('button', { name: 'Trouble 4' }).waitFor();
    many.become(LDAP, 'waiting', REFUSED);
    const row = ldapRow(page);
    await row.getByText('Waiting').waitFor({ timeout: 2_000 });
    await page.getByRole('button', { name: 'Trouble 5' }).click();
    assert.equal(await page.locator('.row').count(), 5);
    many.become(LDAP, 'online');
    await row.waitFor({ state: 'detached' });
  });

  /** An answer from before comes now. */
  async function staysWaiting(opened: BrowserPage, held: { release(): void }): Promise<void> {
    await ldapRow(opened.page).getByText('Waiting').waitFor();
    await opened.noteTexts(LDAP_BADGE);
    held.release();
    await polls(opened.page, 2);
    const seen = await opened.noted();
    assert.ok(seen.length > 0);
    assert.deepEqual([...new Set(seen)], ['Waiting']);
  }

  it('does not take a state back by an answer that is older', async () => {
    const opened = await open('#/');
    const held = many.hold();
    await held.asked;
    many.become(LDAP, 'waiting', REFUSED);
    await staysWaiting(opened, held);
  });

  it('does not take a state back by an answer that was asked for before it began to follow anew', async () => {
    const opened = await open('#/');
    const { page } = opened;
    await page.addInitScript(PATIENT);
    await page.reload();
    await page.locator('.row').nth(49).waitFor();
    await until(() => many.followers === 1);
    const held = many.hold();
    await held.asked;
    await opened.setHidden(true);
    await until(() => many.followers === 0);
    many.become(LDAP, 'waiting', REFUSED);
    await opened.setHidden(false);
    await staysWaiting(opened, held);
  });

  it('does not take an old failure for one of now', async () => {
    const opened = await open('#/');
    const { page } = opened;
    await page.addInitScript(PATIENT);
    await page.reload();
    await page.locator('.row').nth(49).waitFor();
    await until(() => many.followers === 1);
    const held = many.hold();
    await held.asked;
    const begun = page.waitForRequest(/\/v1\/samples$/);
    await opened.setHidden(true);
    await opened.setHidden(false);
    await begun;
    await opened.noteTexts('[role=alert]');
    held.release(FAILED);
    await polls(page, 2);
    const seen = await opened.noted();
    assert.deepEqual([...new Set(seen)], ['']);
    opened.forgive(/500/);
  });

  it('keeps no event stream while nobody sees it, and catches up when it is shown again', async () => {
    const opened = await open('#/');
    const { page } = opened;
    await until(() => many.followers === 1);
    await opened.setHidden(true);
    await until(() => many.followers === 0);
    // What its title says is seen all the same: it learns that nobody answers, and that somebody does again.
    const lost = page.getByRole('alert').getByText(/^The manager does not answer/);
    const held = many.hold();
    await held.asked;
    held.release(FAILED);
    await lost.waitFor();
    await lost.waitFor({ state: 'detached' });
    many.become(LDAP, 'waiting', REFUSED);
    assert.equal(many.followers, 0);
    await opened.setHidden(false);
    await ldapRow(page).getByText('Waiting').waitFor({ timeout: 2_000 });
    await until(() => many.followers === 1);
    many.become(LDAP, 'online');
    await ldapRow(page).getByText('Online').waitFor();
    opened.forgive(/500/);
  });

  it('tells times by the clock of the manager, which may be on another machine', async () => {
    const { page } = await open(`#/connection/${encodeURIComponent('listen contoso-relay/web-1')}`);
    await page.addInitScript('const now = Date.now; Date.now = () => now() - 3_600_000;');
    await page.reload();
    await page.locator('.details-head time', { hasText: /^[5-9] min$/ }).waitFor();
    await page.getByRole('img', { name: /^Throughput: In [\d.]+ [kM]B\/s/ }).waitFor();
  });

  it('says nothing of streams and errors that it has not heard of yet', async () => {
    const { page } = await open('#/');
    const held = many.hold();
    await held.asked;
    await page.getByRole('link', { name: 'contoso-relay/db-0' }).click();
    const panel = (name: string) => page.locator('.panel', { has: page.getByRole('heading', { name }) });
    await panel('Open streams').getByText('Asking the manager …').waitFor();
    await panel('Last errors').getByText('Asking the manager …').waitFor();
    held.release();
    await panel('Open streams').locator('tbody tr').first().waitFor();
    await panel('Last errors').getByText('2 times').waitFor();
  });

  it('does not say that nothing flows when nobody answers', async () => {
    const opened = await open('#/');
    await opened.page.locator('.row').first().getByText(/kB\/s/).first().waitFor();
    await opened.noteTexts('.row .flow-in');
    const held = many.hold();
    await held.asked;
    held.release(FAILED);
    const lost = opened.page.getByRole('alert').getByText(/^The manager does not answer/);
    await lost.waitFor();
    await lost.waitFor({ state: 'detached' });
    await polls(opened.page, 2);
    const seen = await opened.noted();
    assert.ok(seen.includes('in –'), String(seen));
    assert.ok(!seen.includes('in 0 B/s'), String(seen));
    opened.forgive(/500/);
  });

  it('draws 25 of 1,000 streams, and more when asked', async () => {
    const { page } = await open(`#/connection/${encodeURIComponent('listen contoso-relay/db-0')}`);
    const rows = page.locator('.details tbody tr');
    await rows.nth(24).waitFor();
    assert.equal(await rows.count(), 25);
    await page.getByRole('button', { name: 'Show more (975 are not shown)' }).click();
    await rows.nth(124).waitFor();
    await page.getByLabel('Order').selectOption('Most bytes first');
    await rows.first().getByText(/MB/).first().waitFor();
  });

  it('goes through the list with the arrow keys', async () => {
    const { page } = await open('#/');
    await page.getByRole('link', { name: 'contoso-relay/db-0' }).focus();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'contoso-relay/ldap-2' }).waitFor();
    await page.keyboard.press('End');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'contoso-relay/web-49' }).waitFor();
  });

  it('keeps what was typed when the manager cannot keep it', async () => {
    const opened = await open('#/');
    const { page } = opened;
    const { dialog, add } = await fillForward(page);
    await add.click();
    await dialog.getByText('The disk is full.').waitFor();
    assert.equal(await dialog.getByRole('textbox', { name: 'Local address' }).inputValue(), '127.0.0.1:1433');
    opened.forgive(/507/);
  });

  it('keeps a dialog open while text is marked, and closes it by a click beside it', async () => {
    const { page } = await open(`#/connection/${encodeURIComponent('listen contoso-relay/web-1')}`);
    await page.getByRole('button', { name: 'Remove' }).click();
    const dialog = page.getByRole('dialog');
    const box = await dialog.boundingBox();
    assert.ok(box);
    await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
    await page.mouse.down();
    await page.mouse.move(box.x / 2, box.y / 2);
    await page.mouse.up();
    await dialog.waitFor();
    await page.mouse.click(box.x / 2, box.y / 2);
    await dialog.waitFor({ state: 'detached' });
  });

  it('tells what went wrong in a dialog that was closed meanwhile', async () => {
    const opened = await open('#/');
    const { page } = opened;
    const { dialog, add } = await fillForward(page);
    const held = many.hold('add');
    await add.click();
    await held.asked;
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    held.release();
    assert.equal(await noticeOf(page).innerText(), 'The disk is full.');
    opened.forgive(/507/);
  });

  it('tells it, too, when it goes wrong before the browser says that the dialog was closed', async () => {
    const { page } = await open('#/');
    await page.evaluate(LOSES);
    const { add } = await fillForward(page);
    await add.click();
    await page.waitForFunction('window.lose');
    // A dialog that is closed says so with the next frame.
    await page.evaluate("document.querySelector('dialog').close(); window.lose();");
    assert.equal(await noticeOf(page).innerText(), 'The manager does not answer.');
  });

  it('confirms no target that Azure named for something else', async () => {
    const { page } = await open('#/');
    await page.getByRole('button', { name: 'Add connection' }).click();
    const dialog = page.getByRole('dialog');
    const name = dialog.getByRole('textbox', { name: 'Connection', exact: true });
    await name.fill('my-relay/db');
    const held = many.hold('namedTarget');
    const add = dialog.getByRole('button', { name: 'Add', exact: true });
    await add.click();
    await held.asked;
    await name.fill('my-relay/other');
    held.release();
    await add.waitFor();
    assert.equal(await dialog.getByText('Azure names the target').count(), 0);
    await add.click();
    await dialog.getByText('Azure names the target 10.9.9.9:22').waitFor();
  });

  it('waits for no test whose dialog was closed: a browser has six connections', async () => {
    const { page } = await open(`#/connection/${encodeURIComponent('listen contoso-relay/web-1')}`);
    const held = many.hold('test');
    for (let tests = 0; tests < 6; tests += 1) {
      const asked = page.waitForRequest(/\/test$/);
      await page.getByRole('button', { name: 'Test', exact: true }).click();
      await asked;
      await page.keyboard.press('Escape');
      await page.getByRole('dialog').waitFor({ state: 'detached' });
    }
    await polls(page, 2);
    held.release();
  });

  it('accepts the target that it has shown, whatever Azure names meanwhile, and leaves the focus beside that', async () => {
    const { page } = await open(`#/connection/${encodeURIComponent(ERP)}`);
    const ask = page.getByRole('button', { name: 'Accept target' });
    await ask.click();
    const accept = page.getByRole('dialog').getByRole('button', { name: 'Accept 10.9.9.9:22' });
    await accept.waitFor();
    many.change(ERP, { target: '10.6.6.6:22', unconfirmedTarget: '10.6.6.6:22' });
    await page.locator('.details-head').getByText('10.6.6.6:22').waitFor();
    const asked = page.waitForRequest(/\/restart$/);
    await accept.click();
    assert.deepEqual((await asked).postDataJSON(), { acceptTarget: '10.9.9.9:22' });
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    many.change(ERP, { state: 'online', reason: undefined, unconfirmedTarget: undefined });
    await ask.waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Test' }).and(page.locator(':focus')).waitFor();
  });

  it('has nothing to accept where an allow-list keeps streams from their target', async () => {
    const reason = { code: 'HCM_TARGET_NOT_ALLOWED', message: 'db:5432 is not on the allow-list' } as const;
    many.change(ERP, { reason, unconfirmedTarget: undefined });
    const { page } = await open(`#/connection/${encodeURIComponent(ERP)}`);
    await page.locator('.details').getByText(reason.message).waitFor();
    assert.equal(await page.getByRole('button', { name: 'Accept target' }).count(), 0);
  });

  it('leads from a connection that it has removed to the list, and nobody away from another one', async () => {
    const { page } = await open(`#/connection/${encodeURIComponent('listen contoso-relay/web-1')}`);
    const remove = async () => {
      const held = many.hold('remove');
      await page.getByRole('button', { name: 'Remove' }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
      await held.asked;
      return held;
    };
    const first = await remove();
    // It is told by the next answer before the one that removed it has come.
    await page.getByRole('heading', { name: 'No such connection' }).waitFor();
    first.release();
    await page.waitForURL(/#\/$/);
    await ldapRow(page).getByRole('link').click();
    const second = await remove();
    await page.goto(`${page.url().split('#')[0]}#/connection/${encodeURIComponent(ERP)}`);
    second.release();
    await page.getByText('contoso-relay/ldap-2 is removed.').waitFor();
    await page.getByRole('heading', { name: 'contoso-relay/erp-3', level: 1 }).waitFor();
  });

  it('says once what to do when its session is over', async () => {
    const opened = await open(`#/connection/${encodeURIComponent(ERP)}`);
    const { page } = opened;
    await page.getByRole('button', { name: 'Remove' }).click();
    await page.evaluate(`localStorage.setItem('${PAGE_KEY_ITEM}', '')`);
    await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
    const alert = page.getByRole('dialog').getByRole('alert');
    await alert.waitFor();
    assert.equal(
      (await alert.innerText()).replace(/\s+/g, ' ').trim(),
      'You are not signed in here, or no longer. NEXT hcm dashboard',
    );
    assert.equal(await alert.locator('.code:empty').count(), 0);
    opened.forgive(/401/);
  });

  it('keeps the focus where something that had it goes', async () => {
    const { page } = await open(`#/connection/${encodeURIComponent('listen contoso-relay/db-0')}`);
    const focused = (wanted: Locator) => wanted.and(page.locator(':focus')).waitFor();
    const more = page.getByRole('button', { name: /^Show more/ });
    for (let shown = 25; shown < 1_000; shown += 100) await more.press('Enter');
    await more.waitFor({ state: 'detached' });
    await focused(page.getByRole('region', { name: 'Table of open streams' }));
    const lines = page.getByRole('list', { name: 'Log of contoso-relay/db-0' });
    await lines.press('Home');
    await page.getByRole('button', { name: 'Newest' }).press('Enter');
    await focused(lines);
    await page.getByRole('button', { name: 'Restart' }).press('Enter');
    await page.getByRole('button', { name: 'Close this notice' }).press('Enter');
    await focused(page.getByRole('main'));
    await page.getByRole('button', { name: 'Restart' }).focus();
    many.forget('listen contoso-relay/db-0');
    await focused(page.getByRole('link', { name: 'All connections', exact: true }));
  });

  it('has nothing that axe finds wrong, with streams, a reason and a notice, and while nobody answers', async () => {
    const opened = await open(`#/connection/${encodeURIComponent('listen contoso-relay/erp-3')}`);
    const { page } = opened;
    await page.locator('.details tbody tr').first().waitFor();
    await page.getByRole('button', { name: 'Restart' }).click();
    await page.getByRole('button', { name: 'Close this notice' }).waitFor();
    assert.deepEqual(await opened.axeInBoth(), []);
    await many.close();
    try {
      await page.getByText('Was degraded').first().waitFor();
      assert.deepEqual(await opened.axeInBoth(), []);
    } finally {
      await many.start(FOLDER);
    }
    opened.forgive(/ERR_/);
  });

  it('begins at its top what was chosen far down, below the header, and comes back to where that was', async () => {
    const { page } = await open('#/');
    const link = page.getByRole('link', { name: 'contoso-relay/web-43' });
    const title = page.getByRole('heading', { name: 'contoso-relay/web-43', level: 1 });
    for (const width of [1_280, 360]) {
      await page.setViewportSize({ width, height: 740 });
      await link.click();
      await title.waitFor();
      const header = await page.getByRole('banner').boundingBox();
      const box = await title.boundingBox();
      assert.ok(header && box && box.y >= header.y + header.height, JSON.stringify({ width, header, box }));
      await page.getByRole('navigation').getByRole('link', { name: 'Connections' }).click();
      await title.waitFor({ state: 'detached' });
      const back = await link.boundingBox();
      assert.ok(back && back.y > 0 && back.y < 740, JSON.stringify({ width, back }));
    }
  });

  it('is no wider than a small phone, however long a name is', async () => {
    const name = `contoso-relay/${'payments-'.repeat(28)}end`;
    const target = `${'replica-'.repeat(7)}a.${'europe'.repeat(9)}.corp.local:5432`;
    many.change(LDAP, { connection: name, target });
    const { page } = await open('#/');
    await page.setViewportSize({ width: 360, height: 740 });
    const fits = async (what: string) => {
      const width = await page.evaluate<number>('document.documentElement.scrollWidth');
      assert.ok(width <= 360, `${what} is ${width} px wide`);
    };
    const row = page.getByRole('link', { name });
    await row.waitFor();
    await fits('the list');
    await row.click();
    await page.getByRole('heading', { name, level: 1 }).waitFor();
    await fits('the connection');
    await page.getByRole('button', { name: 'Remove' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.waitFor();
    const isCut = '((dialog) => dialog.scrollWidth > dialog.clientWidth)(document.querySelector("dialog"))';
    assert.equal(await page.evaluate(isCut), false, 'the dialog is cut');
    await page.keyboard.press('Escape');
    await page.getByRole('link', { name: 'Log', exact: true }).click();
    await page.getByRole('heading', { name: 'Log', level: 1 }).waitFor();
    await fits('the log');
  });
});
