import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { serviceToken } from '../support/api-client.js';
import { startTestServer } from '../support/test-server.js';

const EXECUTABLE = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync);
const QUIET = ['--no-sandbox', '--disable-background-networking', '--disable-component-update', '--no-first-run'];

describe.skipIf(EXECUTABLE === undefined)('/docs in a browser', () => {
  it('shows the endpoints under its own policy, asks nobody else, and tries one out with a token', async () => {
    await using server = await startTestServer();
    const browser = await chromium.launch({ executablePath: EXECUTABLE ?? '', args: QUIET });
    try {
      const page = await browser.newPage();
      const complaints: string[] = [];
      const foreign: string[] = [];
      page.on('console', (line) => line.type() === 'error' && complaints.push(line.text()));
      page.on('pageerror', (error) => complaints.push(error.message));
      page.on('request', (request) => {
        const url = request.url();
        if (!url.startsWith(server.http) && !url.startsWith('data:')) foreign.push(url);
      });
      await page.goto(`${server.http}/docs`);
      await page.getByRole('button', { name: 'Authorize' }).click();
      await page.locator('.auth-container input').fill(serviceToken());
      await page.locator('.auth-btn-wrapper .authorize').click();
      await page.locator('.auth-btn-wrapper .btn-done').click();

      const nodes = page.locator('#operations-Nodes-NodesController_list');
      await nodes.locator('.opblock-summary-control').click();
      await nodes.getByRole('button', { name: 'Try it out' }).click();
      await nodes.getByRole('button', { name: 'Execute' }).click();
      await expect.poll(() => nodes.locator('.live-responses-table').innerText()).toContain('test-node');
      expect({ complaints, foreign }).toEqual({ complaints: [], foreign: [] });
    } finally {
      await browser.close();
    }
  }, 60_000);
});
