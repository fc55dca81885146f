import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { MessageLogInterceptor } from '../../src/observability/message-log.interceptor.js';
import { BurstGuard } from '../../src/observability/burst-guard.js';
import { SessionRegistry } from '../../src/sessions/session-registry.js';
import { RawClient } from '../support/raw-client.js';
import { connect } from '../support/test-client.js';
import { startTestServer, type TestServer } from '../support/test-server.js';

const text = expect.any(String) as string;
const number = expect.any(Number) as number;

function linesOf({ logLines }: TestServer, message: string): Record<string, unknown>[] {
  return logLines.filter(({ msg }) => msg === message);
}

/** One client that echoes twice, goes, and is known to be gone. */
async function visit(server: TestServer): Promise<void> {
  await using client = await connect(server.url, { protocols: ['v1.json'] });
  for (let round = 0; round < 2; round += 1) await client.request('echo', 'a payload');
  const closed = once(server.app.get(SessionRegistry, { strict: false }).events, 'closed');
  client.socket.close(1000);
  await closed;
}

describe('the log of connections', () => {
  it('has one line for the opening and one for the end, with code, duration and counts', async () => {
    await using server = await startTestServer();
    await visit(server);
    const opened = { level: 'info', node: 'test-node', session: text, user: 'alice', address: '127.0.0.1' };
    expect(linesOf(server, 'session opened')).toEqual([
      { ...opened, time: text, protocol: 'v1.json', msg: 'session opened' },
    ]);
    expect(linesOf(server, 'session closed')).toMatchObject([
      { ...opened, code: 1000, durationMs: number, received: 2, sent: 2 },
    ]);
    expect(linesOf(server, 'session closed')[0]?.session).toBe(linesOf(server, 'session opened')[0]?.session);
  });

  it('never holds a payload', async () => {
    await using server = await startTestServer({ LOG_LEVEL: 'trace' });
    await visit(server);
    expect(JSON.stringify(server.logLines)).not.toContain('a payload');
  });

  it('says nothing of them at warn', async () => {
    await using server = await startTestServer({ LOG_LEVEL: 'warn' });
    await visit(server);
    expect(server.logLines).toEqual([]);
  });
});

describe('the log of messages', () => {
  it('has a line for each at debug, with how long it took and how it ended', async () => {
    await using server = await startTestServer({ LOG_LEVEL: 'debug' });
    await visit(server);
    await using client = await connect(server.url);
    await client.request('auth_refresh', { token: 'garbage' }, 'c-17');
    const lines = linesOf(server, 'message');
    expect(lines).toHaveLength(3);
    expect(lines[0]).toMatchObject({ level: 'debug', type: 'echo', id: 'r', milliseconds: number, outcome: 'ok' });
    expect(lines[2]).toMatchObject({ type: 'auth_refresh', id: 'c-17', outcome: 'GatehouseError' });
  });

  it('does not exist at info: its interceptor is no part of the application', async () => {
    await using server = await startTestServer({ LOG_LEVEL: 'info' });
    await visit(server);
    expect(linesOf(server, 'message')).toEqual([]);
    expect(() => server.app.get(MessageLogInterceptor, { strict: false })).toThrow();
  });
});

describe('the log of refusals', () => {
  it('is bounded, however many an attacker causes', async () => {
    await using server = await startTestServer();
    for (let batch = 0; batch < 4; batch += 1) {
      await Promise.all(
        Array.from({ length: 50 }, async () => {
          await using client = await RawClient.upgrade(server.port);
          expect((await client.outcome()).close?.code).toBe(4401);
        }),
      );
    }
    const lines = linesOf(server, 'upgrade refused');
    // Two periods, where the machine is so slow that the second begins.
    expect(lines.length).toBeGreaterThanOrEqual(20);
    expect(lines.length).toBeLessThanOrEqual(40);
    expect(lines[0]).toMatchObject({ level: 'info', reason: 'unauthenticated', address: '127.0.0.1' });
  });

  it('keeps a few lines for each kind, and says later how many it left out', () => {
    let now = 0;
    const guard = new BurstGuard(() => now);
    const lines: string[] = [];
    const write = (kind: string, count: number): void => {
      for (let line = 0; line < count; line += 1) guard.write(kind, (leftOut) => lines.push(`${kind} ${leftOut}`));
    };
    write('a', 100);
    write('b', 1);
    expect([lines.length, lines.at(-1)]).toEqual([21, 'b 0']);
    now = 10_000;
    write('a', 2);
    expect(lines.slice(21)).toEqual(['a 80', 'a 0']);
  });
});
