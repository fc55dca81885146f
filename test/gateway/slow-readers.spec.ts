import { describe, expect, it } from 'vitest';
import { Broadcaster } from '../../src/broadcast/broadcaster.js';
import { SessionRegistry } from '../../src/sessions/session-registry.js';
import { OutboundContext } from '../../src/socket/outbound-context.js';
import { eventually } from '../support/eventually.js';
import { RawClient } from '../support/raw-client.js';
import { Scrape } from '../support/scrape.js';
import { connect } from '../support/test-client.js';
import { mintToken, startTestServer, type TestServer } from '../support/test-server.js';

const MIB = 1_048_576;
const READERS = 200;
const BUDGET = 8 * MIB;
const MESSAGE = 'x'.repeat(65_536);

async function slowReader({ port }: TestServer): Promise<RawClient> {
  const client = await RawClient.upgrade(port, { headers: { Authorization: `Bearer ${mintToken({ sub: 'slow' })}` } });
  await client.answer();
  client.socket.pause();
  return client;
}

describe('two hundred readers that stop', () => {
  it('take no more than the budget, are all cut with 4008, and an honest one gets every message', async () => {
    await using server = await startTestServer({
      OUTBOUND_QUEUE_BYTES: String(MIB),
      OUTBOUND_BUDGET_BYTES: String(BUDGET),
    });
    const sessions = server.app.get(SessionRegistry, { strict: false });
    const broadcaster = server.app.get(Broadcaster, { strict: false });
    const { budget } = server.app.get(OutboundContext, { strict: false });
    await using honest = await connect(server.url, { claims: { sub: 'honest' } });
    const slow = await Promise.all(Array.from({ length: READERS }, () => slowReader(server)));
    expect(sessions.size).toBe(READERS + 1);
    const earlier = await Scrape.of(server);
    const before = process.memoryUsage().arrayBuffers;

    let [mostWaiting, mostMemory] = [0, 0];
    for (let n = 0; sessions.ofUser('slow').some(({ connection }) => connection.isOpen); n += 1) {
      expect(n).toBeLessThan(2_000);
      broadcaster.toEveryone().emit('tick', { n, MESSAGE });
      expect(await honest.next()).toMatchObject({ data: { n } });
      mostWaiting = Math.max(mostWaiting, budget.waiting);
      mostMemory = Math.max(mostMemory, process.memoryUsage().arrayBuffers - before);
    }
    // One message may come on top; the buffers of one message are the same for all, so they take less than they count.
    expect(mostWaiting).toBeLessThanOrEqual(BUDGET);
    expect(mostMemory).toBeLessThan(8 * BUDGET);

    for (const { socket } of slow) socket.destroy();
    await eventually('all are gone', () => sessions.size === 1 && budget.waiting === 0);
    const later = await Scrape.of(server);
    expect(later.since(earlier, 'websocket_connections_closed_total{code="4008"}')).toBe(READERS);
    expect(later.since(earlier, 'websocket_dropped_messages_total{reason="node_budget"}')).toBeGreaterThan(0);
    expect(await honest.request('echo', 'unaffected')).toMatchObject({ data: 'unaffected' });
  });
});
