import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { builtLibrary } from '../support/bundled-example.js';
import { openPage } from '../support/browser-page.js';
import { mintToken, startTestServer } from '../support/test-server.js';

it('examples/browser.html talks to the server from its form', { tags: ['chromium'] }, async () => {
  await using server = await startTestServer();
  const page = readFileSync('examples/browser.html');
  const library = await builtLibrary();
  const site = createServer(({ url = '' }, response) => {
    const script = library.get(url.replace('/packages/client/dist/', ''));
    response.setHeader('Content-Type', script === undefined ? 'text/html' : 'text/javascript').end(script ?? page);
  });
  await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve));
  await using browser = await openPage();
  const { page: tab } = browser;
  try {
    await tab.goto(`http://127.0.0.1:${(site.address() as AddressInfo).port}/examples/browser.html`);
    await tab.getByLabel('URL').fill(server.url);
    await tab.getByLabel('Token').fill(mintToken());
    await tab.getByRole('button').click();
    await tab.getByText('closed 1000').waitFor();
    const log = (await tab.locator('#log').textContent()) ?? '';
    const types = [...log.matchAll(/^← (\w+)/gm)].map(([, type]) => type);
    expect(types).toEqual([
      'hello_reply',
      'echo_reply',
      'broadcast',
      'broadcast_reply',
      'direct_message',
      'send_message_reply',
    ]);
  } finally {
    site.close();
  }
});
