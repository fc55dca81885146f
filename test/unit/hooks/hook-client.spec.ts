import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { HookClient } from '../../../src/hooks/hook-client.js';
import { HookFailure } from '../../../src/hooks/hook-failure.js';

const REQUEST = { type: 'message', data: {} } as const;

async function world(respond: RequestListener, options: { concurrency?: number; timeoutMs?: number } = {}) {
  const server = createServer(respond).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const secrets = [Buffer.alloc(24).toString('base64')];
  const client = await HookClient.open({ name: 'app', url, secrets, timeoutMs: 30_000, concurrency: 64, ...options });
  return {
    client,
    async [Symbol.asyncDispose]() {
      await client.close();
      server.closeAllConnections();
      server.close();
    },
  };
}

async function reasonOf(asking: Promise<unknown>): Promise<string> {
  const error: unknown = await asking.catch((failure: unknown) => failure);
  if (!(error instanceof HookFailure)) throw new Error(`no failure: ${String(error)}`);
  return error.reason;
}

describe('a client of a back end', () => {
  it('sends no more requests at one time than the endpoint allows', async () => {
    const held: (() => void)[] = [];
    let most = 0;
    await using backEnd = await world(
      (_request, response) => {
        held.push(() => response.end());
        most = Math.max(most, held.length);
        if (held.length === 3) setImmediate(() => held.splice(0).forEach((answer) => answer()));
      },
      { concurrency: 3 },
    );
    await Promise.all(Array.from({ length: 30 }, () => backEnd.client.post(REQUEST)));
    expect(most).toBe(3);
  });

  it('refuses what has no room to wait', async () => {
    const held: (() => void)[] = [];
    await using backEnd = await world((_request, response) => void held.push(() => response.end()), { concurrency: 1 });
    const waiting = Array.from({ length: 1_025 }, () => backEnd.client.post(REQUEST));
    expect(await reasonOf(backEnd.client.post(REQUEST))).toBe('overflow');
    await backEnd.client.close();
    expect(new Set(await Promise.all(waiting.map(reasonOf)))).toEqual(new Set(['unreachable']));
  });

  it('asks no more after twenty failures, until a single request succeeds', async () => {
    let asked = 0;
    await using backEnd = await world((_request, response) => {
      asked += 1;
      response.writeHead(500).end();
    });
    for (let n = 0; n < 20; n += 1) expect(await reasonOf(backEnd.client.post(REQUEST))).toBe('bad_status');
    expect(await reasonOf(backEnd.client.post(REQUEST))).toBe('breaker_open');
    expect(asked).toBe(20);
  });

  it('counts a connection that is refused as unreachable', async () => {
    const secrets = [Buffer.alloc(24).toString('base64')];
    const client = await HookClient.open({
      name: 'app',
      url: 'http://127.0.0.1:1/',
      secrets,
      timeoutMs: 30_000,
      concurrency: 1,
    });
    expect(await reasonOf(client.post(REQUEST))).toBe('unreachable');
    await client.close();
  });
});
