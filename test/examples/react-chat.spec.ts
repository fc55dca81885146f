import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compileChatFeatures, openChatSite } from '../../scripts/react-chat-site.js';
import { loadFeatures } from '../../src/features-file.js';
import { openPage } from '../support/browser-page.js';
import { fetch } from '../support/fetch.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { startTestServer, TEST_SECRET, type TestServer } from '../support/test-server.js';

const HOME = 'examples/react-chat';

describe('examples/react-chat', () => {
  let server: TestServer;

  beforeAll(async () => {
    // Where the file finds the packages that it imports.
    await using folder = await temporaryFolder(resolve('node_modules'));
    const file = join(folder.path, 'features.mjs');
    await compileChatFeatures(file);
    server = await startTestServer({ CHANNELS_FILE: `${HOME}/channels.yaml` }, await loadFeatures(file));
  });

  afterAll(() => server.close());

  it('has types that the server still writes: since then, messages may have been added', async () => {
    const written = await (await fetch(`${server.http}/contract/messages.ts`)).text();
    const lines = readFileSync(`${HOME}/messages.ts`, 'utf8').split('\n');
    expect(lines).toContain('export interface ChatLine {');
    expect(lines.filter((line) => !written.includes(line))).toEqual([]);
  });

  it('is no longer than 150 lines', () => {
    const own = readdirSync(HOME).filter((name) => !['messages.ts', 'README.md', 'tsconfig.json'].includes(name));
    const lines = own.flatMap((name) => readFileSync(`${HOME}/${name}`, 'utf8').trimEnd().split('\n'));
    expect(lines.length).toBeLessThanOrEqual(150);
  });

  it('shows who is there, what was written before and what is written now', { tags: ['chromium'] }, async () => {
    const site = await openChatSite({ server: server.http, secret: TEST_SECRET, port: 0, logLevel: 'warn' });
    await using first = await openPage();
    await using second = await openPage();
    try {
      const [address = ''] = site.resolvedUrls?.local ?? [];
      const ann = await signIn(first.page, address, 'Ann');
      await say(ann, 'Is anybody here?');
      const bob = await signIn(second.page, address, 'Bob');
      await bob.getByText('Is anybody here?').waitFor();
      await ann.getByText('Ann, Bob').waitFor();
      await say(bob, 'I am.');
      await ann.getByText('I am.').waitFor();
      expect(await ann.getByRole('log').innerText()).toBe('Ann Is anybody here?\n\nBob I am.');
      await bob.close();
      await expect.poll(() => ann.textContent('header span')).toBe('Ann');
    } finally {
      await site.close();
    }
  });
});

async function signIn(page: Page, address: string, name: string): Promise<Page> {
  await page.goto(address);
  await page.getByLabel('Name').fill(name);
  await page.getByRole('button').click();
  await page.getByText('live').waitFor();
  return page;
}

async function say(page: Page, text: string): Promise<void> {
  await page.getByLabel('Message').fill(text);
  await page.getByRole('button').click();
}
