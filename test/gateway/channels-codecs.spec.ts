import { describe, expect, it } from 'vitest';
import { startTestServer } from '../support/test-server.js';
import { connectWith, WIRES } from '../support/wires.js';

describe.each(WIRES)('channels over $subprotocol', (wire) => {
  it('answer subscribe, publish, history, presence and unsubscribe', async () => {
    await using server = await startTestServer();
    await using alice = await connectWith(wire, server.url);
    const joined = await alice.request('subscribe', { channel: 'room:a', presence: true }, 1);
    const { epoch } = joined['data'] as { epoch: string };
    expect(joined).toMatchObject({ type: 'subscribe_reply', id: 1 });
    expect(joined['data']).toEqual({ channel: 'room:a', epoch, seq: 0, recovered: false, publications: [] });

    const data = { text: 'hi', list: [1, null, true] };
    const message = await alice.request('publish', { channel: 'room:a', data }, 2);
    const from = message['from'] as { sessionId: string };
    expect(message).toEqual({
      v: 1,
      type: 'message',
      channel: 'room:a',
      seq: 1,
      epoch,
      ts: expect.any(Number) as number,
      from: { userId: 'alice', sessionId: from.sessionId },
      data,
    });
    expect(await alice.next()).toMatchObject({
      type: 'publish_reply',
      id: 2,
      data: { channel: 'room:a', epoch, seq: 1 },
    });

    const publication = { seq: 1, ts: message['ts'], data, from };
    const history = await alice.request('history', { channel: 'room:a' }, 3);
    expect(history).toMatchObject({
      type: 'history_reply',
      id: 3,
      data: { epoch, seq: 1, publications: [publication] },
    });
    const again = await alice.request('subscribe', { channel: 'room:a', since: { epoch, seq: 0 } }, 4);
    expect(again['data']).toMatchObject({ recovered: true, seq: 1, publications: [publication] });

    await using bob = await connectWith(wire, server.url, { claims: { sub: 'bob' } });
    await bob.request('subscribe', { channel: 'room:a' });
    expect(await alice.next()).toMatchObject({
      type: 'presence',
      channel: 'room:a',
      data: { event: 'join', member: { userId: 'bob' } },
    });
    const presence = await alice.request('presence', { channel: 'room:a' }, 5);
    expect(presence['data']).toMatchObject({ count: 2, members: [{ userId: 'alice' }, { userId: 'bob' }] });
    expect(await alice.request('unsubscribe', { channel: 'room:a' }, 6)).toMatchObject({
      type: 'unsubscribe_reply',
      id: 6,
      data: { channel: 'room:a' },
    });
    expect(await alice.request('publish', { channel: 'room:a', data }, 7)).toMatchObject({ code: 'NOT_SUBSCRIBED' });
  });

  it('bring what clients of every other codec publish, and have it in their history', async () => {
    await using server = await startTestServer();
    await using reader = await connectWith(wire, server.url);
    await reader.request('subscribe', { channel: 'room:a' });
    for (const other of WIRES) {
      await using writer = await connectWith(other, server.url);
      await writer.request('subscribe', { channel: 'room:a' });
      writer.send({ type: 'publish', data: { channel: 'room:a', data: { by: other.subprotocol } } });
      expect(await reader.next()).toMatchObject({ type: 'message', data: { by: other.subprotocol } });
    }
    const history = await reader.request('history', { channel: 'room:a' });
    expect((history['data'] as { publications: object[] }).publications).toMatchObject(
      WIRES.map(({ subprotocol }, index) => ({ seq: index + 1, data: { by: subprotocol } })),
    );
  });

  it('refuse what is no request', async () => {
    await using server = await startTestServer();
    await using alice = await connectWith(wire, server.url);
    const wrong: [string, object][] = [
      ['subscribe', {}],
      ['subscribe', { channel: 5 }],
      ['subscribe', { channel: 'room:a', since: 5 }],
      ['subscribe', { channel: 'room:a', since: { epoch: 'e' } }],
      ['subscribe', { channel: 'room:a', since: { epoch: 'e', seq: -1 } }],
      ['publish', { channel: 'room:a', data: 1, ttlMs: 0 }],
      ['publish', { channel: 'room:a', data: 1, idempotencyKey: '' }],
      ['history', { channel: 'room:a', limit: 100_000 }],
      ['presence', { channel: '' }],
    ];
    for (const [type, data] of wrong) {
      expect(await alice.request(type, data)).toMatchObject({ code: 'VALIDATION_FAILED' });
    }
  });
});
