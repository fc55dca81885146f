import { request } from 'node:http';
import { describe, expect, it } from 'vitest';
import { ServerState } from '../../src/lifecycle/server-state.js';
import { eventually } from '../support/eventually.js';
import { fetch } from '../support/fetch.js';
import { ScriptedLag } from '../support/scripted-lag.js';
import { startTestServer } from '../support/test-server.js';

const number = expect.any(Number) as number;

async function get(url: string): Promise<{ readonly status: number; readonly body: unknown }> {
  const response = await fetch(url);
  return { status: response.status, body: await response.json() };
}

describe('/health', () => {
  it('says that the event loop turns', async () => {
    await using server = await startTestServer();
    const details = { event_loop: { status: 'up', lagMs: number } };
    expect(await get(`${server.http}/health`)).toEqual({
      status: 200,
      body: { status: 'ok', info: details, error: {}, details },
    });
  });

  it('answers a client that offers to switch to HTTP/2, as if it had not', async () => {
    await using server = await startTestServer();
    const headers = {
      connection: 'Upgrade, HTTP2-Settings',
      upgrade: 'h2c',
      'http2-settings': 'AAMAAABkAAQAoAAAAAIAAAAA',
    };
    const status = await new Promise((resolve, reject) => {
      request(`${server.http}/health`, { headers }, (response) => resolve(response.resume().statusCode))
        .on('error', reject)
        .end();
    });
    expect(status).toBe(200);
  });

  it('does not ask for a restart because the server is busy or leaving', async () => {
    await using server = await startTestServer({ READY_MAX_HEAP_PERCENT: '1' });
    server.app.get(ServerState, { strict: false }).draining();
    expect((await get(`${server.http}/health`)).status).toBe(200);
  });
});

describe('/ready', () => {
  it('is as terminus writes it when all is well', async () => {
    await using server = await startTestServer();
    const details = {
      state: { status: 'up', phase: 'ready' },
      event_loop: { status: 'up', lagMs: number },
      heap: { status: 'up', usedBytes: number, percent: number },
      cluster: { status: 'up', state: 'ok', engine: 'embedded', nodes: 1 },
    };
    expect(await get(`${server.http}/ready`)).toEqual({
      status: 200,
      body: { status: 'ok', info: details, error: {}, details },
    });
  });

  it('says 503 and why while the server drains', async () => {
    await using server = await startTestServer();
    server.app.get(ServerState, { strict: false }).draining();
    expect(await get(`${server.http}/ready`)).toMatchObject({
      status: 503,
      body: {
        status: 'error',
        error: { state: { status: 'down', phase: 'draining' } },
        info: { heap: { status: 'up' } },
        details: { state: { status: 'down' }, heap: { status: 'up' } },
      },
    });
  });

  it('says 503 when the heap is fuller than it may be', async () => {
    await using server = await startTestServer({ READY_MAX_HEAP_PERCENT: '1' });
    const ballast = Array.from({ length: 10_000_000 }, (_, index) => index);
    const { status, body } = await get(`${server.http}/ready`);
    expect(ballast.length).toBe(10_000_000);
    expect({ status, body }).toMatchObject({
      status: 503,
      body: { error: { heap: { status: 'down', maxPercent: 1 } } },
    });
  });

  it('says 503 when the event loop is held up, whoever else has asked, and recovers', async () => {
    await using server = await startTestServer({ READY_MAX_EVENT_LOOP_LAG_MS: '100' });
    const lag = new ScriptedLag(server);
    await lag.is(300);
    await get(`${server.http}/health`);
    expect(await get(`${server.http}/ready`)).toMatchObject({
      status: 503,
      body: { error: { event_loop: { status: 'down', maxMs: 100 } } },
    });
    await lag.is(0);
    await eventually('it is ready again', async () => (await get(`${server.http}/ready`)).status === 200);
  });

  it('says 503 for a single stall since it was last asked, although the loop has been idle before and after', async () => {
    await using server = await startTestServer({ READY_MAX_EVENT_LOOP_LAG_MS: '500' });
    const lag = new ScriptedLag(server);
    for (const lagMs of [0, 1_500, 0]) await lag.is(lagMs);
    expect((await get(`${server.http}/ready`)).status).toBe(503);
    await eventually('it is ready again', async () => (await get(`${server.http}/ready`)).status === 200);
  });

  it('looks at neither heap nor lag where they are switched off', async () => {
    const off = { READY_MAX_HEAP_PERCENT: '0', READY_MAX_EVENT_LOOP_LAG_MS: '0' };
    await using server = await startTestServer(off);
    expect((await get(`${server.http}/ready`)).status).toBe(200);
  });
});
