import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type Browser, type BrowserContext, type CDPSession, type Page } from 'playwright-core';
import { spawnBound } from './bound-process.js';
import { requireProgram } from './require-program.js';

const OPTIONS = [
  '--headless',
  '--no-sandbox',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  // A profile in a container has a small /dev/shm.
  '--disable-dev-shm-usage',
  '--remote-debugging-port=0',
];

/**
 * A Chromium as people use it: only the tab in front is visible, hidden ones can be frozen, and pages go to the back/forward
 * cache. The pages of `openPage` pretend to be visible at all times. `await using` ends it.
 */
export class WholeBrowser implements AsyncDisposable {
  private constructor(
    private readonly browser: Browser,
    private readonly tabs: BrowserContext,
    private readonly end: () => Promise<void>,
  ) {}

  static async start(): Promise<WholeBrowser> {
    const profile = await mkdtemp(join(tmpdir(), 'gatehouse-chromium-'));
    const child = spawnBound(requireProgram('chromium'), [...OPTIONS, `--user-data-dir=${profile}`, 'about:blank'], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const closed = once(child, 'close');
    const address = await new Promise<string>((resolve, reject) => {
      let output = '';
      child.stderr?.on('data', (text: Buffer) => {
        output += text.toString();
        const [, url] = /DevTools listening on (\S+)/.exec(output) ?? [];
        if (url !== undefined) resolve(url);
      });
      child.once('error', reject);
      child.once('close', () => reject(new Error(`Chromium ended: ${output}`)));
    });
    const browser = await chromium.connectOverCDP(address, { noDefaults: true, timeout: 0 });
    const [tabs] = browser.contexts();
    if (tabs === undefined) throw new Error('Chromium has no window');
    tabs.setDefaultTimeout(0);
    const end = async (): Promise<void> => {
      // Chromium hangs up before it answers.
      await (await browser.newBrowserCDPSession()).send('Browser.close').catch(() => {});
      await closed;
      await rm(profile, { recursive: true, force: true, maxRetries: 5 });
    };
    return new WholeBrowser(browser, tabs, end);
  }

  /** Opens a tab in front of the others. */
  async open(url: string): Promise<Page> {
    const page = await this.tabs.newPage();
    await page.goto(url);
    await page.bringToFront();
    return page;
  }

  devTools(page: Page): Promise<CDPSession> {
    return this.tabs.newCDPSession(page);
  }

  /** Whether the network is gone, for all tabs. */
  setOffline(isOffline: boolean): Promise<void> {
    return this.tabs.setOffline(isOffline);
  }

  /** Closes all tabs. */
  async clear(): Promise<void> {
    const [first, ...rest] = this.tabs.pages();
    await Promise.all(rest.map((page) => page.close()));
    // Without a tab, Chromium would end.
    await first?.goto('about:blank');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end();
    await this.browser.close();
  }
}
