import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { SessionRegistry } from '../../src/sessions/session-registry.js';
import { eventually } from '../support/eventually.js';
import { RawClient } from '../support/raw-client.js';
import { Scrape } from '../support/scrape.js';
import { connect } from '../support/test-client.js';
import { mintToken, startTestServer, type TestServer } from '../support/test-server.js';

function eventsOf({ app }: TestServer): SessionRegistry['events'] {
  return app.get(SessionRegistry, { strict: false }).events;
}

/** By how much each series grew while `act` ran. */
async function growth(server: TestServer, act: () => Promise<unknown>): Promise<(series: string) => number> {
  const earlier = await Scrape.of(server);
  await act();
  const later = await Scrape.of(server);
  return (series) => later.since(earlier, series);
}

describe('/metrics', () => {
  it('counts connections as they open and close, by close code, with their duration', async () => {
    await using server = await startTestServer();
    const grew = await growth(server, async () => {
      for (const code of [1000, 1000, 3999, 4321]) {
        await using client = await connect(server.url);
        const closed = once(eventsOf(server), 'closed');
        client.socket.close(code);
        await closed;
      }
    });
    expect(grew('websocket_connections_opened_total')).toBe(4);
    expect(grew('websocket_connections_closed_total{code="1000"}')).toBe(2);
    expect(grew('websocket_connections_closed_total{code="other"}')).toBe(2);
    expect(grew('websocket_connection_duration_seconds_count')).toBe(4);
    const codes = (await Scrape.of(server)).labels('websocket_connections_closed_total', 'code');
    expect(codes).not.toContain('3999');
  });

  it('counts a connection that the server closed by the code that it sent', async () => {
    await using server = await startTestServer({ MAX_MESSAGE_BYTES: '100' });
    const grew = await growth(server, async () => {
      await using client = await connect(server.url);
      const closed = once(eventsOf(server), 'closed');
      client.send('x'.repeat(101));
      await closed;
    });
    expect(grew('websocket_connections_closed_total{code="1009"}')).toBe(1);
    expect(grew('websocket_connections_closed_total{code="1006"}')).toBe(0);
  });

  it('shows how many connections are open now', async () => {
    await using server = await startTestServer();
    await using first = await connect(server.url);
    await using second = await connect(server.url);
    await Promise.all([first.request('ping'), second.request('ping')]);
    expect((await Scrape.of(server)).value('websocket_active_connections')).toBe(2);
    const closed = once(eventsOf(server), 'closed');
    first.socket.close();
    await closed;
    expect((await Scrape.of(server)).value('websocket_active_connections')).toBe(1);
  });

  it('counts messages in and out by type, their bytes, sizes and the time they took', async () => {
    await using server = await startTestServer();
    const sent = JSON.stringify({ type: 'echo', id: 1, data: 'x'.repeat(100) });
    let reply = 0;
    const grew = await growth(server, async () => {
      await using client = await connect(server.url);
      for (let round = 0; round < 3; round += 1) {
        client.send(sent);
        reply = JSON.stringify(await client.next()).length;
      }
    });
    expect(grew('websocket_messages_received_total{type="echo"}')).toBe(3);
    expect(grew('websocket_messages_sent_total{type="echo_reply"}')).toBe(3);
    expect(grew('websocket_bytes_received_total')).toBe(3 * sent.length);
    // Frames: a header of four bytes each, for a payload of more than 125.
    expect(reply).toBeGreaterThan(125);
    expect(grew('websocket_bytes_sent_total')).toBe(3 * (reply + 4));
    expect(grew('websocket_message_size_bytes_count{direction="in"}')).toBe(3);
    expect(grew('websocket_message_size_bytes_sum{direction="in"}')).toBe(3 * sent.length);
    expect(grew('websocket_message_size_bytes_count{direction="out"}')).toBe(3);
    expect(grew('websocket_message_size_bytes_bucket{le="64",direction="in"}')).toBe(0);
    expect(grew('websocket_message_size_bytes_bucket{le="256",direction="in"}')).toBe(3);
    expect(grew('websocket_message_size_bytes_bucket{le="+Inf",direction="in"}')).toBe(3);
    expect(grew('websocket_message_processing_time_seconds_count{type="echo"}')).toBe(3);
    expect(grew('websocket_message_processing_time_seconds_sum{type="echo"}')).toBeGreaterThan(0);
  });

  it('counts a message for many once per receiver', async () => {
    await using server = await startTestServer();
    await using first = await connect(server.url);
    await using second = await connect(server.url);
    await second.request('ping');
    const grew = await growth(server, async () => {
      first.send({ type: 'broadcast', data: 1 });
      await Promise.all([first.next(), second.next()]);
    });
    expect(grew('websocket_messages_sent_total{type="broadcast"}')).toBe(2);
    expect(grew('websocket_message_size_bytes_count{direction="out"}')).toBe(1);
  });

  it('never makes a label of what a client sends', async () => {
    await using server = await startTestServer({ MAX_PROTOCOL_ERRORS: '0' });
    const grew = await growth(server, async () => {
      await using client = await connect(server.url);
      for (const type of ['made-up-1', 'made-up-2', '__proto__', 'constructor']) await client.request(type);
      client.send('no JSON');
      await client.next();
    });
    expect(grew('websocket_messages_received_total{type="unknown"}')).toBe(5);
    expect(grew('websocket_errors_total{code="UNKNOWN_MESSAGE_TYPE"}')).toBe(4);
    expect(grew('websocket_errors_total{code="INVALID_MESSAGE_FORMAT"}')).toBe(1);
    expect((await Scrape.of(server)).text).not.toMatch(/made-up|__proto__|"constructor"/);
  });

  it('shows what waits for a slow reader, and counts what is dropped when it is cut off', async () => {
    await using server = await startTestServer({ OUTBOUND_QUEUE_BYTES: '200000' });
    await using slow = await RawClient.upgrade(server.port, {
      headers: { Authorization: `Bearer ${mintToken({ sub: 'slow' })}` },
    });
    await slow.answer();
    slow.socket.pause();
    await using sender = await connect(server.url);
    const data = { targetUserId: 'slow', message: 'x'.repeat(60_000) };
    const sessions = server.app.get(SessionRegistry, { strict: false });
    let earlier = await Scrape.of(server);
    // The kernel may take what waited a moment ago.
    await eventually('it is shown that something waits', async () => {
      await sender.request('send_message', data);
      earlier = await Scrape.of(server);
      return earlier.value('websocket_outbound_queue_bytes') > 60_000;
    });
    await eventually('the slow reader is cut off', async () => {
      await sender.request('send_message', data);
      return sessions.ofUser('slow').length === 0;
    });
    const later = await Scrape.of(server);
    expect(later.since(earlier, 'websocket_dropped_messages_total{reason="slow_consumer"}')).toBeGreaterThan(0);
    await eventually(
      'nothing waits',
      async () => (await Scrape.of(server)).value('websocket_outbound_queue_bytes') === 0,
    );
    expect(server.logLines.find(({ msg }) => msg === 'disconnected a slow client')).toMatchObject({
      level: 'warn',
      user: 'slow',
      reason: 'slow_consumer',
    });
    expect(await sender.request('echo', 1)).toMatchObject({ data: 1 });
  });
});
