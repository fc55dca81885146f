import { Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import { APP_INTERCEPTOR } from '@nestjs/core';
import { delay, type Observable } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { Channels } from '../../src/channels/channels.js';
import { feature } from '../support/feature.js';
import { namespacesFile } from '../support/namespaces-file.js';
import { Scrape } from '../support/scrape.js';
import { connect, type Message, type TestClient } from '../support/test-client.js';
import { startTestServer, type TestServer } from '../support/test-server.js';

interface State {
  readonly epoch: string;
  readonly seq: number;
  readonly recovered: boolean;
  readonly publications: { readonly seq: number; readonly data: unknown }[];
  readonly gap?: { readonly from: number | null; readonly to: number };
}

const stateOf = ({ data }: Message): State => data as State;
const channelsOf = ({ app }: TestServer): Channels => app.get(Channels, { strict: false });

async function publish(server: TestServer, name: string, ...data: unknown[]): Promise<void> {
  const channels = channelsOf(server);
  for (const item of data) await channels.publish(channels.named(name), { data: item });
}

async function join(client: TestClient, data: object): Promise<State> {
  return stateOf(await client.request('subscribe', data));
}

@Injectable()
class Dawdling implements NestInterceptor {
  intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle().pipe(delay(30));
  }
}

describe('a client that comes back', () => {
  it.each([false, true])(
    'sees everything once and in order while others publish; slow interceptor: %s',
    async (isSlow) => {
      const features = isSlow ? [feature([{ provide: APP_INTERCEPTOR, useClass: Dawdling }])] : [];
      await using server = await startTestServer({}, features);
      const channel = channelsOf(server).named('room:busy');
      let published = 0;
      const timer = setInterval(() => {
        for (let n = 0; n < 5; n += 1) void channelsOf(server).publish(channel, { data: (published += 1) });
      }, 1);
      const seen: unknown[] = [];
      let since: { epoch: string; seq: number } | undefined;
      try {
        for (let round = 0; round < 6; round += 1) {
          await using client = await connect(server.url);
          const reply = await client.request('subscribe', { channel: 'room:busy', since });
          expect(reply.type).toBe('subscribe_reply');
          const { epoch, seq, publications, recovered } = stateOf(reply);
          expect(recovered).toBe(since !== undefined);
          if (since === undefined) seen.push(...Array.from({ length: seq }, (_, index) => index + 1));
          seen.push(...publications.map(({ data }) => data));
          since = { epoch, seq };
          for (let n = 0; n < 20; n += 1) {
            const message = await client.next();
            seen.push(message.data);
            since = { epoch, seq: message['seq'] as number };
          }
        }
      } finally {
        clearInterval(timer);
      }
      expect(seen).toEqual(Array.from({ length: seen.length }, (_, index) => index + 1));
    },
  );

  it('is told how much is too old', async () => {
    using file = namespacesFile({ log: 'subscribe: anyone, history: { size: 2, age: 1m }' });
    await using server = await startTestServer(file.environment);
    await using client = await connect(server.url);
    const { epoch } = await join(client, { channel: 'log:a' });
    await client.request('unsubscribe', { channel: 'log:a' });
    await publish(server, 'log:a', 'a', 'b', 'c', 'd', 'e');
    const before = await Scrape.of(server);
    expect(await join(client, { channel: 'log:a', since: { epoch, seq: 1 } })).toMatchObject({
      seq: 5,
      recovered: false,
      gap: { from: 2, to: 3 },
      publications: [{ seq: 4 }, { seq: 5 }],
    });
    expect(await join(client, { channel: 'log:a', since: { epoch, seq: 3 } })).toMatchObject({ recovered: true });
    const after = await Scrape.of(server);
    for (const result of ['recovered', 'gap'])
      expect(after.since(before, `websocket_recoveries_total{result="${result}"}`)).toBe(1);
  });

  it('with a position that is none here is brought all there is', async () => {
    await using server = await startTestServer();
    await using client = await connect(server.url);
    await publish(server, 'feed:a', 'a', 'b');
    const { epoch } = await join(client, { channel: 'feed:a' });
    for (const ahead of [1, 99]) {
      const state = await join(client, { channel: 'feed:a', since: { epoch: 'another', seq: ahead } });
      expect(state).toMatchObject({ epoch, seq: 2, recovered: false, gap: { from: null, to: 0 } });
      expect(state.publications.map(({ seq }) => seq)).toEqual([1, 2]);
    }
  });

  it('with a position ahead of the channel is told a gap, and not brought again what it has had', async () => {
    await using server = await startTestServer();
    await using client = await connect(server.url);
    await publish(server, 'feed:a', 'a', 'b');
    const { epoch } = await join(client, { channel: 'feed:a' });
    const state = await join(client, { channel: 'feed:a', since: { epoch, seq: 99 } });
    expect(state).toMatchObject({ epoch, seq: 2, recovered: false, gap: { from: null, to: 2 }, publications: [] });
  });

  it('to a channel without history is told that nothing is recovered', async () => {
    await using server = await startTestServer();
    await using client = await connect(server.url);
    expect(await join(client, { channel: 'telemetry:a', since: { epoch: 'e', seq: 1 } })).toEqual({
      channel: 'telemetry:a',
      recovered: false,
      publications: [],
    });
    expect(await client.request('publish', { channel: 'telemetry:a', data: 1 })).not.toHaveProperty('seq');
    expect((await client.next()).data).toEqual({ channel: 'telemetry:a' });
  });

  it('does not get back what it excluded itself from, under its former session or this', async () => {
    await using server = await startTestServer();
    await using first = await connect(server.url);
    const { data } = await first.request('hello');
    const { sessionId } = data as { sessionId: string };
    const { epoch } = await join(first, { channel: 'room:a' });
    const mine = { channel: 'room:a', data: 'mine', excludeSelf: true };
    expect(await first.request('publish', mine)).toMatchObject({ type: 'publish_reply', data: { seq: 1 } });
    await publish(server, 'room:a', 'theirs');
    const since = { epoch, seq: 0 };
    expect((await first.next()).data).toBe('theirs');
    expect((await join(first, { channel: 'room:a', since })).publications.map((item) => item.data)).toEqual(['theirs']);

    await using second = await connect(server.url);
    const back = await join(second, { channel: 'room:a', since, previousSession: sessionId });
    expect([back.recovered, back.publications.map((item) => item.data)]).toEqual([true, ['theirs']]);
    await using other = await connect(server.url, { claims: { sub: 'bob' } });
    expect((await join(other, { channel: 'room:a', since })).publications).toHaveLength(2);
  });
});

describe('the history request', () => {
  it('pages on from a position, from either end', async () => {
    await using server = await startTestServer();
    await using client = await connect(server.url);
    await publish(server, 'room:a', ...Array.from({ length: 250 }, (_, n) => n + 1));
    const seqs = async (query: object) =>
      stateOf(await client.request('history', { channel: 'room:a', ...query })).publications.map(({ seq }) => seq);
    const { epoch } = stateOf(await client.request('history', { channel: 'room:a', limit: 0 }));
    const first = await seqs({});
    expect([first.length, first[0], first.at(-1)]).toEqual([100, 1, 100]);
    expect(await seqs({ since: { epoch, seq: 100 }, limit: 2 })).toEqual([101, 102]);
    expect(await seqs({ limit: 2, reverse: true })).toEqual([250, 249]);
    expect(await seqs({ since: { epoch: 'another', seq: 100 }, limit: 1 })).toEqual([1]);
  });

  it('is refused where there is none', async () => {
    await using server = await startTestServer();
    await using client = await connect(server.url);
    expect(await client.request('history', { channel: 'telemetry:a' })).toMatchObject({ code: 'FORBIDDEN' });
  });
});
