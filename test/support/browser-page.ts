import { chromium, type Page } from 'playwright-core';
import { requireProgram } from './require-program.js';

const QUIET = ['--no-sandbox', '--disable-background-networking', '--disable-component-update', '--no-first-run'];

export interface BrowserPage extends AsyncDisposable {
  readonly page: Page;
}

/** An empty page of a Chromium of its own; `await using` ends both. What the page waits for has no limit but the test's. */
export async function openPage(): Promise<BrowserPage> {
  const browser = await chromium.launch({ executablePath: requireProgram('chromium'), args: QUIET, timeout: 0 });
  const page = await browser.newPage();
  page.setDefaultTimeout(0);
  return { page, [Symbol.asyncDispose]: () => browser.close() };
}
