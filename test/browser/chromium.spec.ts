import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { openPage } from '../support/browser-page.js';
import { mintToken, startTestServer } from '../support/test-server.js';

interface Visit {
  readonly messages: Record<string, unknown>[];
  readonly code: number;
  readonly reason: string;
  readonly protocol: string;
}

/** Runs in the page: connects, says what it has to say, one message an answer, and closes. */
function visit({ url, protocols, requests }: { url: string; protocols: string[]; requests: object[] }): Promise<Visit> {
  return new Promise((resolve) => {
    const socket = new WebSocket(url, protocols);
    const messages: Record<string, unknown>[] = [];
    let protocol = '';
    const sendNext = (): void => {
      const request = requests[messages.length];
      if (request) socket.send(JSON.stringify(request));
      else socket.close(1000, 'done');
    };
    socket.onopen = () => {
      ({ protocol } = socket);
      sendNext();
    };
    socket.onmessage = ({ data }) => {
      messages.push(JSON.parse(String(data)) as Record<string, unknown>);
      sendNext();
    };
    socket.onclose = ({ code, reason }) => resolve({ messages, code, reason, protocol });
  });
}

async function inPage<T>(use: (page: Page) => Promise<T>): Promise<T> {
  const site = createServer((_request, response) => response.setHeader('Content-Type', 'text/html').end('<p>page</p>'));
  await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve));
  await using browser = await openPage();
  const { page } = browser;
  try {
    await page.goto(`http://127.0.0.1:${(site.address() as AddressInfo).port}/`);
    return await use(page);
  } finally {
    site.close();
  }
}

describe("a browser's own WebSocket", { tags: ['chromium'] }, () => {
  it('signs in with a subprotocol entry, talks, and reads every close code', async () => {
    await using server = await startTestServer();
    const protocols = ['v1.json', `bearer.${mintToken()}`];
    const requests = [
      { type: 'hello', id: 1 },
      { type: 'echo', id: 2, data: { text: 'grüße' } },
      { type: 'broadcast', data: 'to all' },
      { type: 'no.such', id: 4 },
    ];
    await inPage(async (page) => {
      const talk = await page.evaluate(visit, { url: server.url, protocols, requests });
      expect(talk).toMatchObject({ code: 1000, protocol: 'v1.json' });
      expect(talk.messages).toMatchObject([
        { type: 'hello_reply', id: 1, data: { userId: 'alice', protocol: 'v1.json' } },
        { type: 'echo_reply', id: 2, data: { text: 'grüße' } },
        { type: 'broadcast', data: 'to all', from: { userId: 'alice' } },
        { type: 'error', id: 4, code: 'UNKNOWN_MESSAGE_TYPE' },
      ]);

      const refusals = [
        { protocols: ['v1.json'], code: 4401, reason: 'Authentication required' },
        { protocols: ['v1.json', 'bearer.not-a-token'], code: 4403, reason: 'Invalid token' },
        { protocols: ['v9.xml'], code: 1002, reason: 'Unsupported subprotocol' },
      ];
      for (const { protocols: offered, code, reason } of refusals) {
        const refused = await page.evaluate(visit, {
          url: server.url,
          protocols: offered,
          requests: [{ type: 'ping' }],
        });
        expect(refused).toMatchObject({ code, reason });
      }
    });
  });

  it('is refused where its origin is not listed', async () => {
    await using server = await startTestServer({ ALLOWED_ORIGINS: 'https://app.example.com' });
    const protocols = ['v1.json', `bearer.${mintToken()}`];
    await inPage(async (page) => {
      const refused = await page.evaluate(visit, { url: server.url, protocols, requests: [] });
      expect(refused).toMatchObject({ code: 4430, reason: 'Origin not allowed', messages: [] });
    });
  });
});
