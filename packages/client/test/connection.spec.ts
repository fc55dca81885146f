import { describe, expect, it } from 'vitest';
import {
  createClient,
  SignedOut,
  type ClientOptions,
  type GatehouseError,
  type Page,
  type PageEvent,
} from '../src/index.js';
import { Refusal, TestServer } from '../src/testing.js';
import { SOAK_TIMES } from '../../../test/support/soak.js';

const SECOND = 1_000;

function clientOf(server: TestServer, options: Partial<ClientOptions> = {}) {
  const client = createClient({ url: 'ws://test/ws', ...server.environment, ...options });
  const errors: GatehouseError[] = [];
  client.on('error', (error) => errors.push(error));
  return Object.assign(client, { errors });
}

/** A token as the client reads it: only `exp` counts. */
function tokenWith(exp: number, name = 'a'): string {
  return `${name}.${btoa(JSON.stringify({ exp: exp / SECOND }))}.x`;
}

class TestPage implements Page {
  hidden = false;
  private on: ((event: PageEvent) => void) | undefined;

  listen(on: (event: PageEvent) => void): () => void {
    this.on = on;
    return () => (this.on = undefined);
  }

  fire(event: PageEvent): void {
    this.on?.(event);
  }

  get isListenedTo(): boolean {
    return this.on !== undefined;
  }
}

describe('a connection', () => {
  it('is made by the first use, and known as open once the server has said hello', async () => {
    const server = new TestServer();
    const client = clientOf(server);
    await server.clock.advance(SECOND);
    expect([client.getSnapshot().state, server.attempts]).toEqual(['idle', []]);
    const reply = client.request('echo', 'hi');
    expect(client.getSnapshot().state).toBe('connecting');
    await server.clock.advance(SECOND);
    await expect(reply).resolves.toBe('hi');
    expect(client.getSnapshot()).toMatchObject({
      state: 'open',
      attempt: 0,
      lost: false,
      session: { sessionId: 'session-1' },
    });
  });

  it('tells each change of state to who subscribed, and to nobody after that', async () => {
    const server = new TestServer();
    const client = clientOf(server);
    const states: string[] = [];
    const end = client.subscribe(() => states.push(client.getSnapshot().state));
    client.connect();
    await server.clock.advance(100);
    server.closeAll(1012, '1000');
    await server.clock.advance(2 * SECOND);
    client.close();
    end();
    client.connect();
    expect([...new Set(states)]).toEqual(['connecting', 'open', 'waiting', 'closed']);
    client.close();
  });

  it.each([
    [1001, '', 0, 500],
    [1006, '', 0, 500],
    [1011, 'of a proxy', 0, 500],
    [1012, '60000', 0, 60_000],
    [1012, 'Server restarting', 0, 5_000],
    [1013, '', 5_000, 5_500],
    [4001, 'Too many messages, try again later', 30_000, 60_000],
    [4008, 'Slow consumer', 0, 500],
    [4408, '', 0, 500],
    [4503, '', 5_000, 5_500],
  ])('comes back after %i %j within its time', async (code, reason, least, most) => {
    const delays: number[] = [];
    for (let seed = 1; seed <= 20; seed += 1) {
      const server = new TestServer({ seed });
      const client = clientOf(server);
      client.connect();
      await server.clock.advance(10 * SECOND);
      server.closeAll(code, reason);
      const closedAt = server.clock.elapsed();
      await server.clock.advance(most + 10);
      delays.push((server.attempts[1] ?? Infinity) - closedAt);
      client.close();
      await server.clock.advance(10);
      expect(server.clock.pending).toBe(0);
    }
    expect(Math.min(...delays)).toBeGreaterThanOrEqual(least);
    expect(Math.max(...delays)).toBeLessThanOrEqual(most + 10);
    expect(Math.max(...delays) - Math.min(...delays)).toBeGreaterThan((most - least) / 2);
  });

  it('waits for the end of a ban that the reason announces', async () => {
    const server = new TestServer();
    const client = clientOf(server);
    client.connect();
    await server.clock.advance(SECOND);
    server.closeAll(4001, `Address banned until ${new Date(server.clock.now() + 120_000).toISOString()}`);
    await server.clock.advance(119 * SECOND);
    expect(server.attempts).toHaveLength(1);
    await server.clock.advance(40 * SECOND);
    expect(server.attempts).toHaveLength(2);
  });

  it.each([1000, 1002, 1003, 1007, 1008, 1009, 4403, 4409, 4430])('is over after %i', async (code) => {
    const server = new TestServer();
    const client = clientOf(server);
    client.connect();
    await server.clock.advance(SECOND);
    server.closeAll(code, 'for good');
    await server.clock.advance(600 * SECOND);
    expect(client.getSnapshot()).toMatchObject({ state: 'closed', close: { code, reason: 'for good' } });
    expect(server.attempts).toHaveLength(1);
    await expect(client.request('echo')).rejects.toMatchObject({ code: 'CLOSED' });
    expect(server.clock.pending).toBe(0);
    client.connect();
    await server.clock.advance(SECOND);
    expect(client.getSnapshot().state).toBe('open');
  });

  it('doubles the bound of its delays up to 20 s while the server is away, and starts again after a connection that held', async () => {
    const server = new TestServer();
    server.refusal = () => ({ code: 1006, reason: '' });
    const client = clientOf(server);
    client.connect();
    await server.clock.advance(600 * SECOND);
    const delays = server.attempts.slice(1).map((at, index) => at - (server.attempts[index] ?? 0));
    for (const [index, delay] of delays.entries())
      expect(delay).toBeLessThanOrEqual(Math.min(20_000, 500 * 2 ** index) + 10);
    expect(delays.length).toBeGreaterThan(30);
    server.refusal = undefined;
    await server.clock.advance(30 * SECOND);
    expect(client.getSnapshot()).toMatchObject({ state: 'open', attempt: 0 });
  });

  it('is lost after five seconds without one, and found again', async () => {
    const server = new TestServer();
    const client = clientOf(server);
    let lost = 0;
    client.on('lost', () => (lost += 1));
    client.connect();
    await server.clock.advance(SECOND);
    server.refusal = () => ({ code: 1006, reason: '' });
    server.closeAll(1006);
    await server.clock.advance(4 * SECOND);
    expect([lost, client.getSnapshot().lost]).toEqual([0, false]);
    await server.clock.advance(60 * SECOND);
    expect([lost, client.getSnapshot().lost]).toEqual([1, true]);
    server.refusal = undefined;
    await server.clock.advance(30 * SECOND);
    expect([lost, client.getSnapshot().lost]).toEqual([1, false]);
  });

  it('notices a dead network within interval and timeout of the heartbeat', async () => {
    const server = new TestServer({ heartbeat: { intervalMs: 10_000, timeoutMs: 2_000 } });
    const client = clientOf(server);
    client.connect();
    await server.clock.advance(SECOND);
    server.swallow();
    await server.clock.advance(12 * SECOND);
    expect(client.getSnapshot()).toMatchObject({ state: expect.not.stringMatching('open'), close: { code: 1006 } });
    server.restore();
    await server.clock.advance(60 * SECOND);
    expect(client.getSnapshot().state).toBe('open');
  });

  it('renews a connection in time if hello names its longest life, and pings before it is idle for too long', async () => {
    const minute = 60 * SECOND;
    const server = new TestServer({
      heartbeat: { intervalMs: 5 * minute, timeoutMs: 10_000 },
      connection: { idleMs: 10 * minute, maxAgeMs: 120 * minute },
    });
    let pings = 0;
    server.handle('ping', () => {
      pings += 1;
      return { serverTime: server.clock.now() };
    });
    const clients = Array.from({ length: 20 }, () => clientOf(server));
    for (const client of clients) client.connect();
    await server.clock.advance(99 * minute);
    expect(server.attempts).toHaveLength(20);
    expect(pings).toBeGreaterThanOrEqual(20 * 18);
    const renewedBy: number[] = [];
    for (let passed = 100; passed <= 116; passed += 4) {
      await server.clock.advance(4 * minute);
      renewedBy.push(server.attempts.length - 20);
    }
    // Not all at once, and none is left for the host to cut.
    expect(new Set(renewedBy).size).toBeGreaterThan(2);
    expect(renewedBy.at(-1)).toBe(20);
    expect(clients.every((client) => client.getSnapshot().state === 'open')).toBe(true);
    expect(clients.flatMap(({ errors }) => errors)).toEqual([]);
  });

  it('stays open for hours of silence in which pings are answered, whatever the time of day does', async () => {
    const server = new TestServer();
    const client = clientOf(server);
    client.connect();
    for (const jump of [3_600_000, -7_200_000, 86_400_000]) {
      await server.clock.advance(3_600 * SECOND);
      server.clock.jump(jump);
    }
    expect(client.getSnapshot().state).toBe('open');
    expect(server.attempts).toHaveLength(1);
  });

  it('gives up a socket that does not open, and tries the next', async () => {
    const server = new TestServer();
    server.swallow();
    const client = clientOf(server);
    client.connect();
    await server.clock.advance(16 * SECOND);
    server.restore();
    await server.clock.advance(16 * SECOND);
    expect(client.getSnapshot().state).toBe('open');
  });

  it('obeys the Retry-After of /route where a browser cannot see why it was refused', async () => {
    const server = new TestServer();
    server.refusal = () => ({ code: 1006, reason: '' });
    server.route = { status: 503, headers: { 'retry-after': '30' } };
    const client = clientOf(server);
    client.connect();
    await server.clock.advance(25 * SECOND);
    expect(server.attempts.length).toBeLessThanOrEqual(3);
    client.close();
  });

  it('has an error for a platform without WebSocket, and for a URL that is none', async () => {
    const server = new TestServer();
    const Failing = class {
      constructor() {
        throw new SyntaxError('not a URL');
      }
    };
    const client = clientOf(server, { WebSocket: Failing as never });
    await expect(Promise.all([client.request('echo'), server.clock.advance(SECOND)])).rejects.toMatchObject({
      code: 'CLOSED',
    });
    expect(client.getSnapshot().state).toBe('closed');
    expect(client.errors).toHaveLength(1);
  });
});

describe('a page', () => {
  it('probes a connection at once when it is shown, and does not wait out a backoff', async () => {
    const page = new TestPage();
    const server = new TestServer();
    const client = clientOf(server, { page });
    client.connect();
    await server.clock.advance(SECOND);
    page.hidden = true;
    server.swallow();
    server.restore();
    page.hidden = false;
    page.fire('visible');
    await server.clock.advance(3_100);
    expect(client.getSnapshot().close?.code).toBe(1006);
    page.fire('online');
    await server.clock.advance(100);
    expect(client.getSnapshot()).toMatchObject({ state: 'open' });
  });

  it('does not dial while it is hidden, and at once when it is shown', async () => {
    const page = new TestPage();
    const server = new TestServer();
    const client = clientOf(server, { page });
    client.connect();
    await server.clock.advance(SECOND);
    page.hidden = true;
    server.closeAll(1012, '1000');
    await server.clock.advance(600 * SECOND);
    expect(server.attempts).toHaveLength(1);
    page.hidden = false;
    page.fire('visible');
    await server.clock.advance(100);
    expect(client.getSnapshot().state).toBe('open');
    client.close();
    expect(page.isListenedTo).toBe(false);
  });

  it('closes when it is left, so that it may enter the back/forward cache, and connects when it comes back', async () => {
    const page = new TestPage();
    const server = new TestServer();
    const client = clientOf(server, { page });
    client.connect();
    await server.clock.advance(SECOND);
    page.fire('gone');
    await server.clock.advance(60 * SECOND);
    expect([server.connections, server.attempts.length]).toEqual([0, 1]);
    page.fire('shown');
    await server.clock.advance(100);
    expect(client.getSnapshot().state).toBe('open');
  });

  it('does not hurry where the server asked for a wait', async () => {
    const page = new TestPage();
    const server = new TestServer();
    const client = clientOf(server, { page });
    client.connect();
    await server.clock.advance(SECOND);
    server.closeAll(1013);
    await server.clock.advance(100);
    page.fire('visible');
    await server.clock.advance(SECOND);
    expect(server.attempts).toHaveLength(1);
  });
});

describe('a token', () => {
  it('is asked for once for the first connection, and is used again while it is valid', async () => {
    const server = new TestServer();
    const reasons: string[] = [];
    const token = async ({ reason }: { reason: string }): Promise<string> => {
      reasons.push(reason);
      return tokenWith(server.clock.now() + 3_600_000);
    };
    const client = clientOf(server, { token });
    client.connect();
    await server.clock.advance(SECOND);
    server.closeAll(1006);
    await server.clock.advance(SECOND);
    expect([server.attempts.length, reasons]).toEqual([2, ['connect']]);
    client.close();
  });

  it('is renewed after 70 to 90 % of its life, over the same connection', async () => {
    const server = new TestServer();
    const renewed: number[] = [];
    server.handle('auth_refresh', () => {
      renewed.push(server.clock.elapsed());
      return { expiresAt: null };
    });
    const client = clientOf(server, {
      token: () => tokenWith(server.clock.now() + 100_000, `t${Math.round(server.clock.now())}`),
    });
    client.connect();
    await server.clock.advance(200 * SECOND);
    expect(renewed.length).toBeGreaterThanOrEqual(2);
    expect(renewed[0]).toBeGreaterThan(69_000);
    expect(renewed[0]).toBeLessThan(91_000);
    expect(server.attempts).toHaveLength(1);
    client.close();
    await server.clock.advance(10);
    expect(server.clock.pending).toBe(0);
  });

  it('is asked for again if the renewal fails, never comes or is refused, over the same connection', async () => {
    const server = new TestServer();
    const presented: unknown[] = [];
    server.handle('auth_refresh', (data) => {
      const { token } = data as { token: string };
      presented.push(token);
      if (token.startsWith('bad')) throw new Refusal('UNAUTHENTICATED');
      return { expiresAt: null };
    });
    const fates = ['first', 'fails', 'hangs', 'bad', 'bad', 'good'];
    const expiresAt = server.clock.now() + 100_000;
    const client = clientOf(server, {
      tokenTimeoutMs: 2_000,
      token: () => {
        const fate = fates.shift() ?? 'late';
        if (fate === 'fails') throw new Error('no network');
        if (fate === 'hangs') return new Promise(() => {});
        return tokenWith(fate === 'first' ? expiresAt : expiresAt + 3_600_000, fate);
      },
    });
    client.connect();
    await server.clock.advance(200 * SECOND);
    expect(presented.map((token) => String(token).split('.')[0])).toEqual(['bad', 'good']);
    const codes = ['TOKEN_FAILED', 'TOKEN_FAILED', 'UNAUTHENTICATED', 'TOKEN_FAILED'];
    expect(client.errors.map(({ code }) => code)).toEqual(codes);
    expect([server.attempts.length, client.getSnapshot().state]).toEqual([1, 'open']);
    client.close();
    await server.clock.advance(10);
    expect(server.clock.pending).toBe(0);
  });

  it('is renewed in time by the clock of the server, when that of the device is wrong', async () => {
    const server = new TestServer();
    const renewedAt: number[] = [];
    server.handle('auth_refresh', () => {
      renewedAt.push(server.clock.elapsed());
      return { expiresAt: null };
    });
    const deviceClock = {
      now: () => server.clock.now() + 7_200_000,
      elapsed: () => server.clock.elapsed(),
      setTimeout: (run: () => void, ms: number) => server.clock.setTimeout(run, ms),
      clearTimeout: (timer: unknown) => server.clock.clearTimeout(timer),
    };
    const client = clientOf(server, {
      clock: deviceClock,
      token: () => tokenWith(server.clock.now() + 100_000, `t${server.clock.now()}`),
    });
    client.connect();
    await server.clock.advance(95 * SECOND);
    expect(renewedAt).toHaveLength(1);
    expect(renewedAt[0]).toBeGreaterThan(69_000);
    expect(server.attempts).toHaveLength(1);
  });

  it('that was refused is never presented again', async () => {
    const server = new TestServer();
    const seen: (string | undefined)[] = [];
    server.refusal = (token) => {
      seen.push(token);
      return token === 'good' ? undefined : { code: 4401, reason: 'Token expired' };
    };
    const tokens = ['bad', 'bad', 'worse', 'good'];
    const reasons: string[] = [];
    const client = clientOf(server, {
      token: ({ reason }) => {
        reasons.push(reason);
        return tokens.shift();
      },
    });
    client.connect();
    await server.clock.advance(60 * SECOND);
    expect(seen).toEqual(['bad', 'worse', 'good']);
    expect(reasons).toEqual(['connect', 'refused', 'refused', 'refused']);
    expect(client.getSnapshot().state).toBe('open');
    expect(client.errors.map(({ code }) => code)).toEqual(['TOKEN_FAILED']);
  });

  it('that is a text ends the client when it is refused', async () => {
    const server = new TestServer();
    server.refusal = () => ({ code: 4401, reason: 'Token expired' });
    const client = clientOf(server, { token: 'old' });
    client.connect();
    await server.clock.advance(60 * SECOND);
    expect([client.getSnapshot().state, server.attempts.length]).toEqual(['closed', 1]);
  });

  it('may take a while, fail and never come: the client goes on trying', async () => {
    const server = new TestServer();
    let calls = 0;
    const client = clientOf(server, {
      tokenTimeoutMs: 5_000,
      token: () => {
        calls += 1;
        if (calls === 1) throw new Error('no network');
        if (calls === 2) return new Promise(() => {});
        if (calls === 3) return 7 as never;
        return 'good';
      },
    });
    client.connect();
    await server.clock.advance(60 * SECOND);
    expect(client.errors.map(({ code }) => code)).toEqual(['TOKEN_FAILED', 'TOKEN_FAILED', 'TOKEN_FAILED']);
    expect(client.errors[0]?.cause).toEqual(new Error('no network'));
    expect(client.getSnapshot().state).toBe('open');
  });

  it('that there will be none of ends the client', async () => {
    const server = new TestServer();
    const client = clientOf(server, {
      token: () => {
        throw new SignedOut();
      },
    });
    const asked = client.request('echo');
    await expect(Promise.all([asked, server.clock.advance(SECOND)])).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    expect([client.getSnapshot().state, server.clock.pending]).toEqual(['closed', 0]);
  });
});

describe('many clients of a server that restarts', () => {
  it('come back spread over the window that it announced, and all of them', async () => {
    const server = new TestServer({ latencyMs: 1 });
    const count = 1_000 * SOAK_TIMES;
    const clients = Array.from({ length: count }, () => createClient({ url: 'ws://test/ws', ...server.environment }));
    for (const client of clients) client.connect();
    await server.clock.advance(6 * SECOND);
    expect(server.connections).toBe(count);
    server.attempts.length = 0;
    const closedAt = server.clock.elapsed();
    server.closeAll(1012, '20000');
    await server.clock.advance(21 * SECOND);
    expect(server.connections).toBe(count);
    expect(server.attempts.length).toBe(count);
    expect(Math.max(...server.attempts) - closedAt).toBeLessThanOrEqual(20 * SECOND + 10);
    // As many in any second are promised; what is above is chance.
    const promised = count / 20;
    let from = 0;
    const inSecond = server.attempts.map((at, index) => {
      while ((server.attempts[from] ?? at) <= at - SECOND) from += 1;
      return index - from + 1;
    });
    expect(Math.max(...inSecond)).toBeLessThan(promised + 5 * Math.sqrt(promised));
    for (const client of clients) client.close();
    await server.clock.advance(10);
    expect([server.clock.pending, server.connections]).toEqual([0, 0]);
  });

  it('come back, all of them, from an outage in which every attempt fails, and from another while they come back', async () => {
    const server = new TestServer({ latencyMs: 1 });
    const count = 200 * SOAK_TIMES;
    const clients = Array.from({ length: count }, () => createClient({ url: 'ws://test/ws', ...server.environment }));
    for (const client of clients) client.connect();
    await server.clock.advance(6 * SECOND);
    server.refusal = () => ({ code: 1006, reason: '' });
    server.closeAll(1012, '5000');
    await server.clock.advance(60 * SECOND);
    expect(server.connections).toBe(0);
    server.refusal = undefined;
    await server.clock.advance(5 * SECOND);
    expect(server.connections).toBeGreaterThan(0);
    expect(server.connections).toBeLessThan(count);
    server.closeAll(1013);
    await server.clock.advance(60 * SECOND);
    expect(server.connections).toBe(count);
    for (const client of clients) client.close();
    await server.clock.advance(10);
    expect([server.clock.pending, server.connections]).toEqual([0, 0]);
  });
});
