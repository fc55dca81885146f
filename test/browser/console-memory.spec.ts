// @module-tag chromium
import type { CDPSession } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { buildConsole, consolePage, type ConsolePage } from '../support/console-page.js';
import { connect } from '../support/test-client.js';
import { startTestServer, type TestServer } from '../support/test-server.js';

/** `npm run test:soak` taps for ten minutes. */
const TAP_SECONDS = Number(process.env.CONSOLE_TAP_SECONDS ?? 0);
/** More than a tap shows, so that it leaves lines out all the time. */
const ECHOS_A_ROUND = 20;
const ROUND_MS = 100;
/** As many as the page keeps. */
const LINES_KEPT = 500;
/** What a garbage collection leaves differs by this much on a page where nothing happens. */
const NOISE_BYTES = 2 * 1024 * 1024;

/** To count 500 lines, and to collect garbage, 20 times a second takes more than what the page does by itself. */
const SELDOM = { interval: 500 };

/** Bytes that the page holds after a full garbage collection. */
async function heldBy(debugging: CDPSession): Promise<number> {
  await debugging.send('HeapProfiler.collectGarbage');
  return (await debugging.send('Runtime.getHeapUsage')).usedSize;
}

/** Taps echo until the list is full, with a client that sends more than a tap shows. */
async function openFullTap(browser: ConsolePage, server: TestServer): Promise<void> {
  const { page } = browser;
  await browser.open(server, 'tap?type=echo');
  await page.getByRole('button', { name: 'Start' }).click();
  await expect.poll(() => page.getByRole('log').getByRole('listitem').count(), SELDOM).toBe(LINES_KEPT);
}

describe('a page that taps', () => {
  it(`keeps ${LINES_KEPT} lines, and its memory does not grow`, async () => {
    buildConsole();
    await using server = await startTestServer();
    await using client = await connect(server.url, { claims: { sub: 'alice' } });
    await using browser = await consolePage();
    let id = 0;
    const flood = setInterval(() => {
      for (let n = 0; n < ECHOS_A_ROUND; n += 1) client.send({ type: 'echo', id: (id += 1), data: `text ${id}` });
    }, ROUND_MS);
    try {
      await openFullTap(browser, server);
      const debugging = await browser.page.context().newCDPSession(browser.page);
      const full = await heldBy(debugging);
      const lines = browser.page.getByRole('log').getByRole('listitem');
      const first = await lines.first().textContent();
      for (const end = Date.now() + TAP_SECONDS * 1000; Date.now() < end;) await browser.page.waitForTimeout(10_000);
      await expect.poll(() => lines.first().textContent(), SELDOM).not.toBe(first);
      let later = 0;
      // On a busy machine, a page also holds messages for a while that it has not shown yet.
      await expect.poll(async () => (later = await heldBy(debugging)), SELDOM).toBeLessThan(full + NOISE_BYTES);
      if (TAP_SECONDS > 0) process.stderr.write(`${TAP_SECONDS} s of a full tap: ${full} bytes held, then ${later}\n`);
      expect(await lines.count()).toBe(LINES_KEPT);
    } finally {
      clearInterval(flood);
    }
  });
});
