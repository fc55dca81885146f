import { describe, expect, it } from 'vitest';
import { Channels } from '../../src/channels/channels.js';
import { api } from '../support/api-client.js';
import { sharedServers } from '../support/shared-server.js';
import { connect } from '../support/test-client.js';
import { startTestServer, type TestServer } from '../support/test-server.js';

const serverWith = sharedServers();

interface HistoryBody {
  readonly epoch: string;
  readonly seq: number;
  readonly publications: readonly { readonly seq: number; readonly data: unknown }[];
}

async function publish(server: TestServer, channel: string, count: number): Promise<void> {
  for (let data = 1; data <= count; data += 1) await api(server, 'POST /api/publish', { body: { channel, data } });
}

async function history(server: TestServer, query = ''): Promise<HistoryBody> {
  return (await api(server, `GET /api/channels/feed:news/history${query}`)).body as HistoryBody;
}

describe('GET /api/channels', () => {
  it('shows the channels that have subscribers, and how many, but no companion channels', async () => {
    await using server = await startTestServer();
    await using alice = await connect(server.url);
    await using bob = await connect(server.url, { claims: { sub: 'bob' } });
    for (const client of [alice, bob]) await client.request('subscribe', { channel: 'room:b', presence: true });
    await alice.request('subscribe', { channel: 'feed:a' });
    await alice.request('subscribe', { channel: 'feed:left' });
    await alice.request('unsubscribe', { channel: 'feed:left' });
    const { status, body } = await api(server, 'GET /api/channels');
    expect({ status, body }).toEqual({
      status: 200,
      body: {
        channels: [
          { channel: 'feed:a', namespace: 'feed', subscribers: 1, nodes: { 'test-node': 1 } },
          { channel: 'room:b', namespace: 'room', subscribers: 2, nodes: { 'test-node': 2 } },
        ],
        missing: [],
      },
    });
  });

  it('brings every channel once, page by page, and the last page says so', async () => {
    await using server = await startTestServer();
    await using client = await connect(server.url);
    const names = Array.from({ length: 7 }, (_, index) => `feed:${index}`);
    for (const channel of names.toReversed()) await client.request('subscribe', { channel });
    const seen: string[] = [];
    let after: string | undefined;
    do {
      const query = after === undefined ? '' : `&after=${encodeURIComponent(after)}`;
      const { body } = await api(server, `GET /api/channels?limit=3${query}`);
      const page = body as { channels: { channel: string }[]; after?: string };
      seen.push(...page.channels.map(({ channel }) => channel));
      ({ after } = page);
    } while (after !== undefined);
    expect(seen).toEqual(names);
    const { body } = await api(server, 'GET /api/channels?limit=7');
    expect(body).toMatchObject({ channels: { length: 7 } });
    expect(body).not.toHaveProperty('after');
  });

  it('refuses a page of nothing', async () => {
    const server = await serverWith();
    expect((await api(server, 'GET /api/channels?limit=0')).status).toBe(422);
  });
});

describe('GET /api/channels/{channel}/history', () => {
  it('brings what the channel keeps, in either order, as many as asked for', async () => {
    await using server = await startTestServer();
    await publish(server, 'feed:news', 4);
    expect((await history(server)).publications.map(({ data }) => data)).toEqual([1, 2, 3, 4]);
    expect((await history(server, '?reverse=true&limit=2')).publications.map(({ data }) => data)).toEqual([4, 3]);
    expect(await history(server, '?limit=0')).toMatchObject({ seq: 4, publications: [] });
  });

  it('brings what came after a position, and everything after one of another epoch', async () => {
    await using server = await startTestServer();
    await publish(server, 'feed:news', 3);
    const { epoch } = await history(server);
    const since = (of: string): Promise<HistoryBody> => history(server, `?sinceEpoch=${of}&sinceSeq=2`);
    expect((await since(epoch)).publications.map(({ seq }) => seq)).toEqual([3]);
    expect((await since('another')).publications.map(({ seq }) => seq)).toEqual([1, 2, 3]);
  });

  it('shows bytes and large integers, which other codecs carry, as v1.json does', async () => {
    await using server = await startTestServer();
    const channels = server.app.get(Channels, { strict: false });
    await channels.publish(channels.named('feed:news'), { data: { bytes: Buffer.from('hi'), large: 2n ** 60n } });
    expect((await history(server)).publications[0]?.data).toEqual({ bytes: 'aGk=', large: '1152921504606846976' });
  });

  it('shows the publisher of what a client published', async () => {
    await using server = await startTestServer();
    await using client = await connect(server.url);
    await client.request('subscribe', { channel: 'room:x' });
    await client.request('publish', { channel: 'room:x', data: { hi: 1 } });
    const { body } = await api(server, 'GET /api/channels/room:x/history');
    expect(body).toMatchObject({ publications: [{ seq: 1, data: { hi: 1 }, from: { userId: 'alice' } }] });
  });

  it('reads a channel whose name must be percent-encoded', async () => {
    const server = await serverWith();
    await publish(server, 'feed:ä/ö?', 1);
    const { body } = await api(server, `GET /api/channels/${encodeURIComponent('feed:ä/ö?')}/history`);
    expect(body).toMatchObject({ seq: 1 });
  });

  it.each(['limit=1001', 'limit=-1', 'reverse=yes', 'sinceSeq=1', 'sinceEpoch=e', 'sinceEpoch=e&sinceSeq=x'])(
    'refuses ?%s',
    async (query) => {
      const server = await serverWith();
      expect((await api(server, `GET /api/channels/feed:news/history?${query}`)).status).toBe(422);
    },
  );

  it('is 404 for what can be no channel', async () => {
    const server = await serverWith();
    const { status, body } = await api(server, 'GET /api/channels/nowhere:x/history');
    expect({ status, body }).toMatchObject({ status: 404, body: { code: 'UNKNOWN_CHANNEL' } });
  });
});

describe('GET /api/channels/{channel}/presence', () => {
  it('shows who is in a channel', async () => {
    await using server = await startTestServer();
    await using client = await connect(server.url);
    await client.request('subscribe', { channel: 'room:x' });
    const { status, body } = await api(server, 'GET /api/channels/room:x/presence');
    const members = [{ userId: 'alice', sessionId: expect.any(String) as string }];
    expect({ status, body }).toEqual({ status: 200, body: { members, count: 1 } });
  });

  it('lists as many sessions as asked for, at most MAX_PRESENCE_MEMBERS, and says that there are more', async () => {
    await using server = await startTestServer({ MAX_PRESENCE_MEMBERS: '3' });
    await using first = await connect(server.url);
    await using second = await connect(server.url);
    await using third = await connect(server.url);
    await using fourth = await connect(server.url);
    const presence = async (query = '') => (await api(server, `GET /api/channels/room:x/presence${query}`)).body;
    for (const client of [first, second, third]) await client.request('subscribe', { channel: 'room:x' });
    expect(await presence()).toEqual({ members: expect.any(Array) as unknown[], count: 3 });
    expect(await presence('?limit=2')).toMatchObject({ members: [{}, {}], count: 2, truncated: true });
    await fourth.request('subscribe', { channel: 'room:x' });
    for (const query of ['', '?limit=3', '?limit=9'])
      expect(await presence(query)).toMatchObject({ members: [{}, {}, {}], count: 3, truncated: true });
    expect(await first.request('presence', { channel: 'room:x' })).toMatchObject({
      data: { members: [{}, {}, {}], count: 3, truncated: true },
    });
  });

  it.each(['limit=0', 'limit=all'])('refuses ?%s', async (query) => {
    const server = await serverWith();
    expect((await api(server, `GET /api/channels/room:x/presence?${query}`)).status).toBe(422);
  });

  it('is 404 for what can be no channel', async () => {
    const server = await serverWith();
    expect((await api(server, 'GET /api/channels/nowhere:x/presence')).status).toBe(404);
  });
});
