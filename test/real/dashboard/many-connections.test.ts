// The page with 50 connections and 1,000 streams that all move: what changes is drawn, and nothing else.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
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

describe('the page of a manager with very much to show', function () {
  this.timeout(60_000);
  const many = new ManyConnections();
  let browser: RealBrowser;

  before(async () => {
    await many.start(FOLDER);
    browser = await RealBrowser.start();
  });
  afterEach(function () {
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
    for (let at = 0; at < count; at += 1)
      await page.waitForResponse((response) => response.url().endsWith('/v1/connections'));
  };

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
    many.become('listen contoso-relay/ldap-2', 'waiting', {
      code: 'HCM_CONNECT_REFUSED',
      message: 'The relay refused the connection',
    });
    const row = page.locator('.row', { hasText: 'contoso-relay/ldap-2' }).first();
    await row.getByText('Waiting').waitFor({ timeout: 2_000 });
    await page.getByRole('button', { name: 'Trouble 5' }).click();
    assert.equal(await page.locator('.row').count(), 5);
    many.become('listen contoso-relay/ldap-2', 'online');
    await row.waitFor({ state: 'detached' });
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
});
