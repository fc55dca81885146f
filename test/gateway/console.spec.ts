import { beforeAll, describe, expect, it } from 'vitest';
import { buildConsole } from '../support/console-page.js';
import { fetch } from '../support/fetch.js';
import { freePort } from '../support/free-port.js';
import { startTestServer } from '../support/test-server.js';

beforeAll(buildConsole);

const RULES = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "frame-ancestors 'none'",
  "base-uri 'none'",
  "require-trusted-types-for 'script'",
];

describe('/console', () => {
  it('is a page that may load only from its server, and its two files', async () => {
    await using server = await startTestServer();
    const page = await fetch(`${server.http}/console`);
    expect(page.status).toBe(200);
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(page.headers.get('content-security-policy')?.split('; ')).toEqual(expect.arrayContaining(RULES));
    const html = await page.text();
    expect(html).toContain('data-ws="/ws"');
    const linked = [...html.matchAll(/(?:href|src)="(console\/[\w.]+)"/g)].map(([, path = '']) => path);
    expect(linked.sort()).toEqual(['console/console.css', 'console/console.js']);
    for (const path of linked) {
      const file = await fetch(`${server.http}/${path}`);
      expect({ path, status: file.status }).toEqual({ path, status: 200 });
      expect(file.headers.get('x-content-type-options')).toBe('nosniff');
      const again = await fetch(`${server.http}/${path}`, {
        headers: { 'if-none-match': file.headers.get('etag') ?? '' },
      });
      expect(again.status).toBe(304);
    }
  });

  it('leads from an address with a slash at its end to the one without, where its files are found', async () => {
    await using server = await startTestServer();
    const { status, headers } = await fetch(`${server.http}/console/?a=1`, { redirect: 'manual' });
    expect({ status, location: headers.get('location') }).toEqual({ status: 308, location: '/console?a=1' });
  });

  it.each([
    ['in production unless asked', { NODE_ENV: 'production', PUBLIC_URL: 'ws://127.0.0.1/ws' }, 404],
    ['in production if asked', { NODE_ENV: 'production', PUBLIC_URL: 'ws://127.0.0.1/ws', CONSOLE_ENABLED: 'on' }, 200],
    ['where it is off', { CONSOLE_ENABLED: 'off' }, 404],
    ['where there is no server API', { API_ENABLED: 'off', CONSOLE_ENABLED: 'on' }, 404],
  ])('%s is there or not', async (_where, environment, status) => {
    await using server = await startTestServer(environment);
    expect((await fetch(`${server.http}/console`)).status).toBe(status);
  });

  it('is on the internal port only, if there is one, and then names where the WebSocket is', async () => {
    const internal = await freePort();
    await using server = await startTestServer({ INTERNAL_PORT: String(internal) });
    expect((await fetch(`${server.http}/console`)).status).toBe(404);
    expect((await fetch(`${server.http}/console/console.js`)).status).toBe(404);
    const page = await fetch(`http://127.0.0.1:${internal}/console`);
    expect(await page.text()).toContain(`data-ws="${server.url}"`);
    const origin = server.url.replace('/ws', '');
    expect(page.headers.get('content-security-policy')).toContain(`connect-src 'self' ${origin};`);
  });
});
