// A real Chromium, and what a page in it did: requests, console errors, violations of its policy, faults that axe finds.
import assert from 'node:assert/strict';
import axe from 'axe-core';
import { chromium, type Browser, type BrowserContextOptions, type Locator, type Page } from 'playwright-core';

const PROGRAM = '/usr/bin/chromium';
const ARGUMENTS = [
  '--no-sandbox',
  '--headless',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  // Whatever is not this machine has no address at all.
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
];

/** No view has so many things to press. */
const TABS_MAX = 150;

export class RealBrowser {
  readonly #browser: Browser;
  readonly #pages: BrowserPage[] = [];

  constructor(browser: Browser) {
    this.#browser = browser;
  }

  static async start(): Promise<RealBrowser> {
    return new RealBrowser(await chromium.launch({ executablePath: PROGRAM, args: ARGUMENTS }));
  }

  /** A window of its own, with its own cookies. */
  async open(url: string, options: BrowserContextOptions = {}): Promise<BrowserPage> {
    const context = await this.#browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
    const page = new BrowserPage(await context.newPage());
    this.#pages.push(page);
    await page.page.goto(url);
    return page;
  }

  /** `check`: fails when a page that was open did what none may do. A test that has failed says enough by itself. */
  async closePages({ check }: { check: boolean }): Promise<void> {
    const pages = this.#pages.splice(0);
    for (const { page } of pages) await page.context().close();
    if (check) for (const page of pages) page.assertWellBehaved();
  }

  async stop(): Promise<void> {
    await this.#browser.close();
  }
}

export class BrowserPage {
  readonly page: Page;
  readonly #faults: string[] = [];
  readonly #forgiven: RegExp[] = [];
  readonly #hosts = new Set<string>();

  constructor(page: Page) {
    this.page = page;
    page.setDefaultTimeout(15_000);
    page.on('pageerror', (error) => this.#faults.push(String(error)));
    // Chromium tells violations of the content security policy here, too.
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') this.#faults.push(message.text());
    });
    page.on('request', (request) => this.#hosts.add(new URL(request.url()).hostname));
  }

  /** Such lines were meant to come, and may be late: a manager that was killed, an error that was asked for. */
  forgive(expected: RegExp): void {
    this.#forgiven.push(expected);
  }

  /** As if another tab stood before it: without a screen, Chromium hides no page by itself. */
  async setHidden(hidden: boolean): Promise<void> {
    await this.page.evaluate(
      `Object.defineProperty(document, 'hidden', { value: ${hidden}, configurable: true });
       document.dispatchEvent(new Event('visibilitychange'));`,
    );
  }

  /** Notes what stands in this place whenever anything on the page changes, until `noted` asks for it. */
  async noteTexts(place: string): Promise<void> {
    await this.page.evaluate(
      `window.seen = [];
       new MutationObserver(() => window.seen.push(document.querySelector(${JSON.stringify(place)}).textContent))
         .observe(document.body, { subtree: true, childList: true, characterData: true });`,
    );
  }

  noted(): Promise<string[]> {
    return this.page.evaluate<string[]>('window.seen');
  }

  assertWellBehaved(): void {
    const faults = this.#faults.filter((fault) => !this.#forgiven.some((expected) => expected.test(fault)));
    assert.deepEqual(faults, [], 'no error and no violation of the policy in the console');
    assert.deepEqual([...this.#hosts], ['127.0.0.1'], 'no request leaves the machine');
  }

  /** The ids of what axe finds wrong, with the places. */
  async axe(): Promise<string[]> {
    await this.page.evaluate(axe.source);
    const { violations } = await this.page.evaluate<axe.AxeResults>('axe.run(document)');
    return violations.flatMap(({ id, nodes }) => nodes.map(({ target }) => `${id}: ${target.join(' ')}`));
  }

  /** What it finds in light and in dark. */
  async axeInBoth(): Promise<string[]> {
    const found: string[] = [];
    for (const colorScheme of ['light', 'dark'] as const) {
      // Between two colours lies a moment that nobody reads in.
      await this.page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      found.push(...(await this.axe()).map((fault) => `${colorScheme}: ${fault}`));
    }
    return found;
  }

  /** Presses Tab until this has the focus. */
  async tabTo(wanted: Locator): Promise<void> {
    const focused = wanted.and(this.page.locator(':focus'));
    for (let presses = 0; presses < TABS_MAX; presses += 1) {
      if ((await focused.count()) > 0) return;
      await this.page.keyboard.press('Tab');
    }
    throw new Error(`Tab never came to ${wanted.toString()}`);
  }
}
