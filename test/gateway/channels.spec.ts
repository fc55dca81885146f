import { describe, expect, it } from 'vitest';
import { connect } from '../support/test-client.js';
import { startTestServer } from '../support/test-server.js';

describe('channels', () => {
  it('carry what a member publishes to every member, with a position', async () => {
    await using server = await startTestServer();
    await using alice = await connect(server.url);
    await using bob = await connect(server.url, { claims: { sub: 'bob' } });
    const joined = await alice.request('subscribe', { channel: 'room:lobby' }, 1);
    expect(joined).toMatchObject({
      type: 'subscribe_reply',
      id: 1,
      data: { channel: 'room:lobby', seq: 0, recovered: false, publications: [] },
    });
    await bob.request('subscribe', { channel: 'room:lobby' }, 1);

    bob.send({ type: 'publish', id: 2, data: { channel: 'room:lobby', data: 'hi' } });
    const { epoch } = joined.data as { epoch: string };
    expect(await alice.next()).toMatchObject({
      type: 'message',
      channel: 'room:lobby',
      seq: 1,
      epoch,
      data: 'hi',
      from: { userId: 'bob' },
    });
    expect(await bob.next()).toMatchObject({ type: 'message', seq: 1 });
    expect(await bob.next()).toMatchObject({
      type: 'publish_reply',
      id: 2,
      data: { channel: 'room:lobby', epoch, seq: 1 },
    });
  });

  it('bring exactly what was missed, once and in order', async () => {
    await using server = await startTestServer({ MESSAGE_RATE: '0' });
    await using alice = await connect(server.url);
    await using bob = await connect(server.url, { claims: { sub: 'bob', roles: ['ADMIN'] } });
    const { data } = await alice.request('subscribe', { channel: 'feed:news' });
    const { epoch } = data as { epoch: string };
    await bob.request('publish', { channel: 'feed:news', data: 1 });
    expect((await alice.next()).seq).toBe(1);
    await alice[Symbol.asyncDispose]();
    for (const n of [2, 3, 4]) await bob.request('publish', { channel: 'feed:news', data: n });

    await using again = await connect(server.url);
    const recovered = await again.request('subscribe', { channel: 'feed:news', since: { epoch, seq: 1 } });
    expect(recovered.data).toMatchObject({
      recovered: true,
      seq: 4,
      publications: [
        { seq: 2, data: 2 },
        { seq: 3, data: 3 },
        { seq: 4, data: 4 },
      ],
    });
    const lost = await again.request('subscribe', { channel: 'feed:news', since: { epoch: 'other', seq: 9 } });
    expect(lost.data).toMatchObject({ recovered: false, gap: { from: null, to: 0 } });
  });

  it('refuse who may not, and what is none', async () => {
    await using server = await startTestServer();
    await using alice = await connect(server.url);
    expect(await alice.request('subscribe', { channel: 'nope:x' })).toMatchObject({ code: 'UNKNOWN_CHANNEL' });
    expect(await alice.request('publish', { channel: 'room:x', data: 1 })).toMatchObject({ code: 'NOT_SUBSCRIBED' });
    expect(await alice.request('publish', { channel: 'feed:x', data: 1 })).toMatchObject({ code: 'FORBIDDEN' });
    expect(await alice.request('subscribe', { channel: 'user:bob' })).toMatchObject({ code: 'FORBIDDEN' });
    expect(await alice.request('subscribe', { channel: 'user:alice' })).toMatchObject({ type: 'subscribe_reply' });
    expect(await alice.request('unsubscribe', { channel: 'room:x' })).toMatchObject({ code: 'NOT_SUBSCRIBED' });
  });

  it('are open to those without a token as far as the namespace goes', async () => {
    await using server = await startTestServer({ AUTH_MODE: 'optional' });
    await using nobody = await connect(server.url, { claims: false });
    expect(await nobody.request('subscribe', { channel: 'feed:a' })).toMatchObject({ type: 'subscribe_reply' });
    expect(await nobody.request('subscribe', { channel: 'room:a' })).toMatchObject({ code: 'UNAUTHENTICATED' });
    expect(await nobody.request('publish', { channel: 'feed:a' })).toMatchObject({ code: 'UNAUTHENTICATED' });
    expect(await nobody.request('history', { channel: 'room:a' })).toMatchObject({ code: 'UNAUTHENTICATED' });
  });

  it('are open to what the token’s capabilities name', async () => {
    await using server = await startTestServer();
    const channels = { 'feed:sport*': ['publish'], 'user:*': ['subscribe', 'history'] };
    await using alice = await connect(server.url, { claims: { channels } });
    expect(await alice.request('publish', { channel: 'feed:sports', data: 1 })).toMatchObject({
      type: 'publish_reply',
    });
    expect(await alice.request('publish', { channel: 'feed:news', data: 1 })).toMatchObject({ code: 'FORBIDDEN' });
    expect(await alice.request('subscribe', { channel: 'user:bob' })).toMatchObject({ type: 'subscribe_reply' });
    expect(await alice.request('history', { channel: 'user:bob' })).toMatchObject({ type: 'history_reply' });
    expect(await alice.request('publish', { channel: 'user:bob', data: 1 })).toMatchObject({ code: 'FORBIDDEN' });
  });

  it('bring a message once, though one has subscribed twice', async () => {
    await using server = await startTestServer();
    await using alice = await connect(server.url);
    for (let n = 0; n < 2; n += 1) await alice.request('subscribe', { channel: 'room:a' });
    expect(await alice.request('publish', { channel: 'room:a', data: 1 })).toMatchObject({ type: 'message', seq: 1 });
    expect(await alice.next()).toMatchObject({ type: 'publish_reply' });
    await alice.request('unsubscribe', { channel: 'room:a' });
    expect(await alice.request('unsubscribe', { channel: 'room:a' })).toMatchObject({ code: 'NOT_SUBSCRIBED' });
  });
});
