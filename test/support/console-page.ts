import { execFileSync } from 'node:child_process';
import { resolve } from 'node:path';
import type { Page } from 'playwright-core';
import { openPage } from './browser-page.js';
import type { TestServer } from './test-server.js';
import { mintToken } from './test-server.js';

/** Builds the console to where a server that runs from its source looks for it. */
export function buildConsole(): void {
  execFileSync(process.execPath, [resolve('packages/console/build.mjs')], { stdio: 'inherit' });
}

export const OPERATOR = { sub: 'operator', roles: ['ADMIN'] };

export interface ConsolePage extends AsyncDisposable {
  readonly page: Page;
  /** What the page asked for, of whatever origin. */
  readonly origins: Set<string>;
  /** What the page complained about, such as a refused script. */
  readonly complaints: string[];
  /** Opens a page of the console, signed in. */
  open(server: TestServer, path?: string, claims?: Record<string, unknown>): Promise<void>;
}

/** Goes to another page of the console. */
export async function visit(page: Page, path: string): Promise<void> {
  await page.evaluate(`location.hash = ${JSON.stringify(`#/${path}`)}`);
}

/** A browser for the console. */
export async function consolePage(): Promise<ConsolePage> {
  const { page, [Symbol.asyncDispose]: close } = await openPage();
  const origins = new Set<string>();
  const complaints: string[] = [];
  let opened = 0;
  page.on('request', (request) => {
    if (!request.url().startsWith('data:')) origins.add(new URL(request.url()).host);
  });
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  page.on('pageerror', ({ message }) => complaints.push(message));
  return {
    page,
    origins,
    complaints,
    async open(server, path = 'overview', claims = OPERATOR) {
      // Another address: only the fragment differs otherwise, and the page would stay.
      opened += 1;
      await page.goto(`${server.http}/console?${opened}#token=${mintToken(claims)}`);
      await page.getByRole('navigation', { name: 'Pages', exact: true }).waitFor();
      await visit(page, path);
    },
    [Symbol.asyncDispose]: close,
  };
}
