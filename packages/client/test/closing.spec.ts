import { describe, expect, it } from 'vitest';
import { createClient, type ClientOptions, type GatehouseError } from '../src/index.js';
import { TestServer } from '../src/testing.js';

const SECOND = 1_000;

function clientOf(server: TestServer, options: Partial<ClientOptions> = {}) {
  const client = createClient({ url: 'ws://test/ws', ...server.environment, ...options });
  const codes: string[] = [];
  /** Closes the client in a handler of its errors, as an application does that signs its user out. */
  const closeOn = (wanted: string): void => {
    client.on('error', ({ code }: GatehouseError) => {
      codes.push(code);
      if (code === wanted) client.close();
    });
  };
  return Object.assign(client, { codes, closeOn });
}

/** A token as the client reads it: only `exp` counts. */
function tokenUntil(exp: number): string {
  return `a.${btoa(JSON.stringify({ exp: exp / SECOND }))}.x`;
}

describe('close() of a client', () => {
  it('ends the loads of channels, also after the server has closed it for good', async () => {
    const server = new TestServer();
    const client = clientOf(server);
    let loads = 0;
    client.channel('room:lobby', {
      load: async () => {
        loads += 1;
        throw new Error('no API');
      },
    });
    await server.clock.advance(SECOND);
    server.closeAll(4403);
    await server.clock.advance(SECOND);
    expect(client.getSnapshot().state).toBe('closed');
    client.close();
    expect(server.clock.pending).toBe(0);
    const before = loads;
    await server.clock.advance(120 * SECOND);
    expect(loads).toBe(before);
  });

  it('aborts the token function, and asks it again for the next connection', async () => {
    const server = new TestServer();
    const signals: AbortSignal[] = [];
    const client = clientOf(server, {
      token: ({ signal }) => (signals.push(signal) === 1 ? new Promise(() => {}) : 'good'),
    });
    client.connect();
    await server.clock.advance(0);
    client.close();
    await server.clock.advance(0);
    expect([signals[0]?.aborted, server.clock.pending]).toEqual([true, 0]);
    client.connect();
    await server.clock.advance(SECOND);
    expect([client.getSnapshot().state, signals.length, client.codes]).toEqual(['open', 2, []]);
  });

  it('asks for no token if a listener closes it while it begins to connect', async () => {
    const server = new TestServer();
    let asked = 0;
    const client = clientOf(server, { token: () => `token ${(asked += 1)}` });
    client.subscribe(() => {
      if (client.getSnapshot().state === 'connecting') client.close();
    });
    client.connect();
    await server.clock.advance(60 * SECOND);
    expect([client.getSnapshot().state, asked, server.attempts, server.clock.pending]).toEqual(['closed', 0, [], 0]);
  });

  it('is final in a handler of errors that learns that there is no token', async () => {
    const server = new TestServer();
    let asked = 0;
    const client = clientOf(server, {
      token: () => {
        asked += 1;
        throw new Error('no network');
      },
    });
    client.closeOn('TOKEN_FAILED');
    client.connect();
    await server.clock.advance(60 * SECOND);
    expect([client.getSnapshot().state, asked, server.clock.pending]).toEqual(['closed', 1, 0]);
  });

  it('is final in a handler of errors that learns that the token is not renewed', async () => {
    const server = new TestServer();
    let asked = 0;
    const client = clientOf(server, {
      token: () => {
        asked += 1;
        if (asked > 1) throw new Error('no network');
        return tokenUntil(server.clock.now() + 60 * SECOND);
      },
    });
    client.closeOn('TOKEN_FAILED');
    client.connect();
    await server.clock.advance(600 * SECOND);
    expect([client.getSnapshot().state, asked, server.clock.pending]).toEqual(['closed', 2, 0]);
  });

  it('is final in a handler of errors that learns of a reply of the wrong shape', async () => {
    const server = new TestServer({ latencyMs: 0 });
    server.handle('subscribe', () => 'no reply');
    const client = clientOf(server);
    client.closeOn('BAD_MESSAGE');
    client.channel('room:lobby');
    await server.clock.advance(0);
    expect([client.getSnapshot().state, server.clock.pending]).toEqual(['closed', 0]);
  });

  it('leaves no timer of handles that are closed after it, and none that ends a later subscription', async () => {
    const server = new TestServer();
    const client = clientOf(server);
    const first = client.channel('room:lobby');
    await server.clock.advance(SECOND);
    client.close();
    const before = server.clock.pending;
    first.close();
    expect(server.clock.pending).toBe(before);
    client.connect();
    const shown: unknown[] = [];
    client.channel('room:lobby', { onMessage: ({ data }) => void shown.push(data) });
    await server.clock.advance(5 * SECOND);
    server.publish('room:lobby', 'hi');
    await server.clock.advance(SECOND);
    expect(shown).toEqual(['hi']);
    expect(server.requests.map(({ type }) => type)).not.toContain('unsubscribe');
  });
});

describe('a client that the server has closed', () => {
  it.each([1000, 4403])('with %i subscribes to its channels again if it is connected again', async (code) => {
    const server = new TestServer();
    const client = clientOf(server);
    const shown: unknown[] = [];
    client.channel('room:lobby', { onMessage: ({ data }) => void shown.push(data) });
    await server.clock.advance(SECOND);
    server.closeAll(code);
    await server.clock.advance(SECOND);
    expect(client.getSnapshot()).toMatchObject({ state: 'closed', close: { code } });
    client.connect();
    await server.clock.advance(SECOND);
    server.publish('room:lobby', 'hi');
    await server.clock.advance(SECOND);
    expect(shown).toEqual(['hi']);
  });
});
