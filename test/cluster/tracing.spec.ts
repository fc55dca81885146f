import { createHash, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { Broadcaster } from '../../src/broadcast/broadcaster.js';
import { api } from '../support/api-client.js';
import { OtlpCollector } from '../support/otlp-collector.js';
import { connect } from '../support/test-client.js';
import { TestNodes } from '../support/test-nodes.js';
import { startTestServer } from '../support/test-server.js';

/** What a client or a back end that traces sends, and the id of its trace. */
function traceparent(flags = '01') {
  const traceId = randomBytes(16).toString('hex');
  const spanId = randomBytes(8).toString('hex');
  return { traceId, spanId, text: `00-${traceId}-${spanId}-${flags}` };
}

const hashOf = (userId: string): string => createHash('sha256').update(userId).digest('hex').slice(0, 16);

describe('one trace over two nodes', () => {
  it('follows a publication from the sender’s envelope to that of a subscriber elsewhere', async () => {
    await using collector = await OtlpCollector.start();
    await using nodes = await TestNodes.start(['a', 'b'], collector.environment);
    await using silent = await startTestServer({ REDIS_URL: nodes.redis.url, SERVER_ID: 'silent' });
    await using reader = await connect(nodes.at(1).url, { claims: { sub: 'reader' } });
    await using listener = await connect(silent.url, { claims: { sub: 'listener' } });
    for (const client of [reader, listener]) await client.request('subscribe', { channel: 'room:1' });
    const upgrade = traceparent();
    const headers = { traceparent: upgrade.text, tracestate: 'vendor=x' };
    await using writer = await connect(nodes.at(0).url, { headers });
    await writer.request('subscribe', { channel: 'room:1' });

    const sent = traceparent();
    const text = 'with \u{feff} and __proto__';
    writer.send({ type: 'publish', id: 'p', trace: sent.text, data: { channel: 'room:1', data: { text } } });
    const received = await reader.next();
    expect(received).toMatchObject({ type: 'message', channel: 'room:1', seq: 1, data: { text } });
    const answers = [await writer.next(), await writer.next()];

    const message = await collector.next('websocket.message', ({ traceId }) => traceId === sent.traceId);
    const publish = await collector.next('websocket.publish', ({ traceId }) => traceId === sent.traceId);
    const [here, there] = await Promise.all([
      collector.next('websocket.deliver', ({ node }) => node === 'a'),
      collector.next('websocket.deliver', ({ node }) => node === 'b'),
    ]);
    expect(message).toMatchObject({ node: 'a', kind: 2, parentSpanId: sent.spanId });
    expect(message.attributes).toMatchObject({ 'gatehouse.message.type': 'publish', 'gatehouse.outcome': 'ok' });
    expect(publish).toMatchObject({ node: 'a', kind: 4, parentSpanId: message.spanId });
    expect(publish.attributes).toMatchObject({ 'messaging.destination.name': 'room:1' });
    for (const deliver of [here, there]) {
      expect(deliver).toMatchObject({ kind: 5, traceId: sent.traceId, parentSpanId: publish.spanId });
      expect(deliver.attributes).toMatchObject({ 'gatehouse.deliveries': 1, 'messaging.destination.template': 'room' });
    }
    expect(received['trace']).toBe(there.traceparent);
    expect(Object.fromEntries(answers.map(({ type, trace }) => [type, trace]))).toEqual({
      message: here.traceparent,
      publish_reply: message.traceparent,
    });
    // A node that traces nothing shows what comes with a publication, and does nothing about what clients send.
    expect((await listener.next())['trace']).toBe(publish.traceparent);
    listener.send({ type: 'echo', id: 1, trace: traceparent().text });
    expect(await listener.next()).toEqual({ v: 1, type: 'echo_reply', id: 1 });
    expect(collector.spans.map(({ node }) => node)).not.toContain('silent');

    await writer[Symbol.asyncDispose]();
    const connection = await collector.next('websocket.connection', ({ traceId }) => traceId === upgrade.traceId);
    expect(connection).toMatchObject({ node: 'a', kind: 2, parentSpanId: upgrade.spanId, traceState: 'vendor=x' });
    expect(connection.attributes).toMatchObject({
      'user.hash': hashOf('alice'),
      'websocket.subprotocol': 'v1.json',
      'websocket.close_code': 1006,
      'url.path': '/ws',
    });
    expect(connection.events.map(({ name }) => name)).toEqual(['open']);
    // A trace of everything that a connection ever brings would be too large to look at.
    expect(message.links.map(({ spanId }) => spanId)).toEqual([connection.spanId]);
    expect(JSON.stringify(collector.spans)).not.toContain('alice');
  });

  it('follows what goes to a user, a session and everyone, and from the API too', async () => {
    await using collector = await OtlpCollector.start();
    await using nodes = await TestNodes.start(['a', 'b'], collector.environment);
    await using bob = await connect(nodes.at(1).url, { claims: { sub: 'bob' } });
    await using ann = await connect(nodes.at(0).url, { claims: { sub: 'ann' } });

    await ann.request('send_message', { targetUserId: 'bob', message: 'hi' });
    const direct = await bob.next();
    const delivered = await collector.next('websocket.deliver', ({ node }) => node === 'b');
    expect(direct['trace']).toBe(delivered.traceparent);
    expect(delivered.attributes).toMatchObject({
      'messaging.destination.template': 'user',
      'messaging.destination.name': hashOf('bob'),
    });
    // Nobody meant is on the sender's node.
    expect(collector.named('websocket.deliver').map(({ node }) => node)).toEqual(['b']);

    const [session] = nodes.sessions(1).ofUser('bob');
    nodes
      .get(0, Broadcaster)
      .toSession(session?.id ?? '')
      .emit('from-code', 1);
    const fromCode = await bob.next();
    const root = await collector.next('websocket.publish', ({ parentSpanId }) => parentSpanId === undefined);
    expect(fromCode['trace']).toContain(root.traceId);

    const asked = traceparent();
    const call = { body: { data: 'all' }, headers: { traceparent: asked.text } };
    await api(nodes.at(0), 'POST /api/broadcast', call);
    expect([(await ann.next())['trace'], (await bob.next())['trace']]).toEqual([
      expect.stringContaining(asked.traceId),
      expect.stringContaining(asked.traceId),
    ]);
    const request = await collector.next('POST /api/broadcast');
    const publish = await collector.next('websocket.publish', ({ traceId }) => traceId === asked.traceId);
    expect(request).toMatchObject({ parentSpanId: asked.spanId, attributes: { 'http.response.status_code': 200 } });
    expect(publish.parentSpanId).toBe(request.spanId);
  });
});
