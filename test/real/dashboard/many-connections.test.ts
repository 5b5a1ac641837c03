// The page with 50 connections and 1,000 streams that all move: what changes is drawn, and nothing else.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
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

/** Notes what stands in this place whenever anything on the page changes. */
const noteTexts = (place: string) => `
  window.seen = [];
  new MutationObserver(() => window.seen.push(document.querySelector(${JSON.stringify(place)}).textContent))
    .observe(document.body, { subtree: true, childList: true, characterData: true });
`;
/** The page waits longer for an answer: on a busy machine its own limit would come before what is held is let go. */
const PATIENT = `
  const timeout = AbortSignal.timeout.bind(AbortSignal);
  AbortSignal.timeout = (delayMs) => timeout(delayMs * 10);
`;
const LDAP = 'listen contoso-relay/ldap-2';
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
    // What a test that has failed still holds.
    many.hold().release();
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
  /** So many answers of the manager later. */
  const polls = async (page: Page, count: number) => {
    for (let at = 0; at < count; at += 1) await page.waitForResponse(/\/v1\/connections\?details=/);
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

  it('does not take a state back by an answer that is older', async () => {
    const { page } = await open('#/');
    const held = many.hold();
    await held.asked;
    many.become(LDAP, 'waiting', REFUSED);
    await ldapRow(page).getByText('Waiting').waitFor();
    await page.evaluate(noteTexts(`.row:has([href$="${encodeURIComponent(LDAP)}"]) .badge`));
    held.release();
    await polls(page, 2);
    const seen = await page.evaluate<string[]>('window.seen');
    many.become(LDAP, 'online');
    assert.ok(seen.length > 0);
    assert.deepEqual([...new Set(seen)], ['Waiting']);
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
    await page.evaluate(noteTexts('[role=alert]'));
    held.release(FAILED);
    await polls(page, 2);
    const seen = await page.evaluate<string[]>('window.seen');
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
    await page.getByRole('button', { name: 'Add connection' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('radio', { name: /^Forward/ }).check();
    await dialog.getByRole('textbox', { name: 'Connection', exact: true }).fill('my-relay/db');
    await dialog.getByRole('textbox', { name: 'Local address' }).fill('127.0.0.1:1433');
    await dialog.getByRole('button', { name: 'Add', exact: true }).click();
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
    await page.getByRole('button', { name: 'Add connection' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('radio', { name: /^Forward/ }).check();
    await dialog.getByRole('textbox', { name: 'Connection', exact: true }).fill('my-relay/db');
    const held = many.hold();
    const asked = page.waitForRequest((request) => request.method() === 'POST');
    await dialog.getByRole('button', { name: 'Add', exact: true }).click();
    await asked;
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    held.release();
    const notice = page.getByRole('status', { name: 'Notices' }).getByRole('paragraph').first();
    assert.equal(await notice.innerText(), 'The disk is full.');
    opened.forgive(/507/);
  });
});
