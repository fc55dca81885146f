import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { Channels } from '../../src/channels/channels.js';
import type { ChannelName } from '../../src/cluster/ports/broker.js';
import { PresenceStore } from '../../src/cluster/ports/presence-store.js';
import { fetch } from '../support/fetch.js';
import { namespacesFile } from '../support/namespaces-file.js';
import { StoppedClock } from '../support/stopped-clock.js';
import { connect, type TestClient } from '../support/test-client.js';
import { mintToken, startTestServer, type TestServer } from '../support/test-server.js';

const CHANNEL = 'log:a';
const REPLY_COST_BYTES = 16_384;
const BURST = 10;
/** Tokens that the whole history costs, but for the one of the request. */
const WHOLE = 20;

/** Fills a history that is as large as so many tokens bring. */
async function fill(server: { readonly http: string }): Promise<void> {
  const data = 'x'.repeat(REPLY_COST_BYTES);
  for (let n = 0; n < WHOLE; n += 1) {
    const response = await fetch(`${server.http}/api/publish`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        authorization: `Bearer ${mintToken({ sub: 'backend', roles: ['SERVICE'] })}`,
      },
      body: JSON.stringify({ channel: CHANNEL, data }),
    });
    expect(response.ok).toBe(true);
  }
}

async function fillPresence({ app }: TestServer, sessions: number): Promise<void> {
  const store = app.get(PresenceStore, { strict: false });
  for (let n = 0; n < sessions; n += 1)
    await store.add(CHANNEL as ChannelName, { sessionId: randomUUID(), userId: `user-${n}` });
}

describe('a reply that brings much', () => {
  const file = namespacesFile({ log: 'subscribe: anyone, history: { size: 100, age: 1h }, presence: true' });
  const settings = { ...file.environment, MESSAGE_RATE: '1', MESSAGE_BURST: String(BURST) };
  const asks: [string, (client: TestClient) => Promise<unknown>][] = [
    ['history', (client) => client.request('history', { channel: CHANNEL, limit: 10_000 })],
    ['subscribe', (client) => client.request('subscribe', { channel: CHANNEL, since: { epoch: 'before', seq: 0 } })],
  ];

  it.each(asks)('costs what it brings: %s', async (type, ask) => {
    await using server = await startTestServer(settings);
    await fill(server);
    await using client = await connect(server.url);
    expect(await ask(client)).toMatchObject({ type: `${type}_reply`, data: { seq: WHOLE } });
    const refused = await client.request('echo', 1);
    expect(refused).toMatchObject({ code: 'RATE_LIMIT_EXCEEDED' });
    expect(refused['retryAfter']).toBeGreaterThan(0);
  });

  it('costs what it brings: a conflict that shows a large value', async () => {
    using twin = namespacesFile({
      twin: 'subscribe: anyone, publish: anyone, history: { size: 9, age: 1h }, state: { value_bytes: 1000000 }',
    });
    await using server = await startTestServer({ ...settings, ...twin.environment });
    await using client = await connect(server.url);
    await server.app
      .get(Channels)
      .state('twin:1')
      .set('a', 'x'.repeat(WHOLE * REPLY_COST_BYTES));
    const conflict = await client.request('state.remove', { channel: 'twin:1', key: 'a', ifVersion: 9 });
    expect(conflict).toMatchObject({ code: 'CONFLICT', data: { version: 1 } });
    expect(await client.request('echo', 1)).toMatchObject({ code: 'RATE_LIMIT_EXCEEDED' });
  });

  it('costs what it brings: an area', async () => {
    using fleet = namespacesFile({
      fleet: `subscribe: anyone, history: { size: 9, age: 1h },
        state: { value_bytes: 1000000, area: { fields: [x, y], cell: 1, max_cells: 1000 } }`,
    });
    await using server = await startTestServer({ ...settings, ...fleet.environment });
    await using client = await connect(server.url);
    const state = server.app.get(Channels).state('fleet:1');
    await state.set('a', { x: 0, y: 0, text: 'x'.repeat(WHOLE * REPLY_COST_BYTES) });
    await client.request('subscribe', { channel: 'fleet:1' });
    expect(await client.request('area', { channel: 'fleet:1', box: [5, 5, 5, 5] })).toMatchObject({
      type: 'area_reply',
    });
    expect(await client.request('echo', 1)).toMatchObject({ data: 1 });
    expect(await client.request('area', { channel: 'fleet:1', box: [0, 0, 0, 0] })).toMatchObject({
      type: 'area_reply',
    });
    expect(await client.request('echo', 1)).toMatchObject({ code: 'RATE_LIMIT_EXCEEDED' });
    await using other = await connect(server.url);
    await other.request('subscribe', { channel: 'fleet:1' });
    // Empty cells cost something, too: these are 64.
    const reply = await other.request('area', { channel: 'fleet:1', box: [100, 0, 107, 7] });
    expect(reply).toMatchObject({ type: 'area_reply' });
    expect(await other.request('echo', 1)).toMatchObject({ code: 'RATE_LIMIT_EXCEEDED' });
  });

  it('costs what it brings: presence', async () => {
    using clock = new StoppedClock();
    // About 100 bytes for each session: 4 tokens, and 31.
    for (const [sessions, left] of [
      [500, 36],
      [5_000, 8],
    ] as const) {
      await using server = await startTestServer({ ...settings, MESSAGE_BURST: '40' });
      await using client = await connect(server.url);
      await fillPresence(server, sessions);
      const reply = await client.request('presence', { channel: CHANNEL });
      expect(reply).toMatchObject({ type: 'presence_reply', data: { count: sessions } });
      let answered = 0;
      while ((await client.request('echo', 1)).type !== 'error') answered += 1;
      expect(Math.abs(answered - left)).toBeLessThan(4);
      clock.pass(2_000);
      expect(await client.request('echo', 1)).toMatchObject({ data: 1 });
    }
  });

  it('costs one token where REPLY_COST_BYTES is 0', async () => {
    await using server = await startTestServer({ ...settings, REPLY_COST_BYTES: '0' });
    await using client = await connect(server.url);
    await fillPresence(server, 5_000);
    await client.request('presence', { channel: CHANNEL });
    expect(await client.request('echo', 1)).toMatchObject({ data: 1 });
  });

  it('costs one token where it brings little', async () => {
    await using server = await startTestServer(settings);
    await using client = await connect(server.url);
    for (const type of ['history', 'presence', 'subscribe'])
      expect(await client.request(type, { channel: CHANNEL })).toMatchObject({ type: `${type}_reply` });
    expect(await client.request('echo', 1)).toMatchObject({ data: 1 });
  });
});
