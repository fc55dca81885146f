import { describe, expect, it } from 'vitest';
import { serviceToken } from '../support/api-client.js';
import { openPage } from '../support/browser-page.js';
import { startTestServer } from '../support/test-server.js';

describe('/docs in a browser', { tags: ['chromium'] }, () => {
  it('shows the endpoints under its own policy, asks nobody else, and tries one out with a token', async () => {
    await using server = await startTestServer();
    await using browser = await openPage();
    const { page } = browser;
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
  });
});
