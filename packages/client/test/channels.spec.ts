import { describe, expect, it } from 'vitest';
import type { Position } from '@gatehouse/protocol';
import { createClient, type ChannelOptions, type GatehouseError } from '../src/index.js';
import { TestServer, type TestServerOptions } from '../src/testing.js';

const SECOND = 1_000;
const ROOM = 'room:lobby';

/** A client in a channel that writes down what it is told. */
function follow(options: Partial<ChannelOptions> & TestServerOptions = {}) {
  const server = new TestServer(options);
  const client = createClient({ url: 'ws://test/ws', ...server.environment });
  const errors: GatehouseError[] = [];
  client.on('error', (error) => errors.push(error));
  const shown: unknown[] = [];
  const onMessage = ({ data }: { data: unknown }): unknown => shown.push(data);
  const channel = client.channel(ROOM, { onMessage, ...options });
  const asked = (type: string): unknown[] =>
    server.requests.filter((request) => request.type === type).map(({ data }) => data);
  return { server, client, channel, errors, shown, asked };
}

describe('a channel', () => {
  it('shows what is published, once and in order, over lost connections', async () => {
    const { server, shown, channel } = follow();
    await server.clock.advance(SECOND);
    expect(channel.getSnapshot().state).toBe('live');
    server.publish(ROOM, 1);
    server.publish(ROOM, 2);
    await server.clock.advance(10);
    server.closeAll(1006);
    server.publish(ROOM, 3);
    await server.clock.advance(SECOND);
    server.publish(ROOM, 4);
    await server.clock.advance(10);
    expect(shown).toEqual([1, 2, 3, 4]);
  });

  it('publishes only once it is subscribed, also after a lost connection: the server may take nothing from others', async () => {
    const { server, channel } = follow();
    const order = (): string[] => server.requests.map(({ type }) => type);
    const first = channel.publish('first');
    await server.clock.advance(SECOND);
    await first;
    const second = channel.publish('second');
    await server.clock.advance(0);
    server.failNext('subscribe', 'SERVER_BUSY', 100);
    server.closeAll(1006);
    await server.clock.advance(5 * SECOND);
    await second;
    expect(order().filter((type, index) => type !== order()[index - 1])).toEqual([
      'subscribe',
      'publish',
      'subscribe',
      'publish',
    ]);
  });

  it('loads first and after a gap, and holds publications back until it has', async () => {
    const log: unknown[] = [];
    let release: (position: Position) => void = () => {};
    const load = ({ reason }: { reason: string }): Promise<Position> => {
      log.push(reason);
      return new Promise((resolve) => (release = resolve));
    };
    const { server, channel } = follow({ load, onMessage: ({ data }) => log.push(data) });
    await server.clock.advance(SECOND);
    server.publish(ROOM, 'in the state already');
    const position = server.positionOf(ROOM);
    server.publish(ROOM, 'first');
    await server.clock.advance(10);
    expect([log, channel.getSnapshot().state]).toEqual([['first'], 'loading']);
    release(position);
    await server.clock.advance(10);
    expect([log, channel.getSnapshot().state]).toEqual([['first', 'first'], 'live']);
    server.lose(ROOM);
    server.publish(ROOM, 'lost in the state');
    await server.clock.advance(SECOND);
    const newer = server.positionOf(ROOM);
    server.publish(ROOM, 'second');
    await server.clock.advance(10);
    release(newer);
    await server.clock.advance(10);
    expect(log).toEqual(['first', 'first', 'gap', 'second']);
  });

  it('goes on from what was loaded before it was connected', async () => {
    const { server, shown, asked } = follow({ load: async () => ({ epoch: 'epoch-1', seq: 1 }) });
    server.publish(ROOM, 1);
    server.publish(ROOM, 2);
    await server.clock.advance(SECOND);
    expect(asked('subscribe')).toEqual([{ channel: ROOM, since: { epoch: 'epoch-1', seq: 1 }, presence: false }]);
    expect(shown).toEqual([2]);
  });

  it('gets again what was published between the loaded position and the subscription', async () => {
    let release: (position: Position) => void = () => {};
    const load = (): Promise<Position> => new Promise((resolve) => (release = resolve));
    const { server, shown } = follow({ load });
    const before = server.positionOf(ROOM);
    server.publish(ROOM, 1);
    await server.clock.advance(SECOND);
    server.publish(ROOM, 2);
    await server.clock.advance(10);
    release(before);
    server.publish(ROOM, 3);
    await server.clock.advance(100);
    expect(shown).toEqual([1, 2, 3]);
  });

  it('loads again after each reconnect where the namespace keeps no history', async () => {
    const reasons: string[] = [];
    const load = async ({ reason }: { reason: string }): Promise<void> => void reasons.push(reason);
    const { server, shown } = follow({ load, withoutHistory: ['room'] });
    await server.clock.advance(5 * SECOND);
    server.publish(ROOM, 1);
    await server.clock.advance(SECOND);
    server.closeAll(1006);
    await server.clock.advance(SECOND);
    server.publish(ROOM, 2);
    await server.clock.advance(5 * SECOND);
    expect(shown).toEqual([1, 2]);
    expect(reasons.at(-1)).toBe('reconnect');
  });

  it('tells a gap where there is nothing to load, and goes on', async () => {
    const gaps: unknown[] = [];
    const { server, shown } = follow({ onGap: (gap) => gaps.push(gap) });
    await server.clock.advance(SECOND);
    server.publish(ROOM, 1);
    await server.clock.advance(10);
    server.closeAll(1006);
    server.publish(ROOM, 2);
    server.publish(ROOM, 3);
    server.trim(ROOM, 1);
    await server.clock.advance(SECOND);
    expect([gaps, shown]).toEqual([[{ from: 2, to: 2 }], [1, 3]]);
  });

  it('loads again, later and later, if that fails, takes too long or throws', async () => {
    let calls = 0;
    const load = (): Promise<Position> => {
      calls += 1;
      if (calls === 1) throw new Error('no');
      if (calls === 2) return Promise.reject(new Error('still no'));
      if (calls === 3) return new Promise(() => {});
      return Promise.resolve({ epoch: 'epoch-1', seq: 0 });
    };
    const { server, shown, errors } = follow({ load, loadTimeoutMs: 5_000 });
    await server.clock.advance(SECOND);
    server.publish(ROOM, 1);
    await server.clock.advance(60 * SECOND);
    expect(errors.map(({ code }) => code)).toEqual(['LOAD_FAILED', 'LOAD_FAILED', 'LOAD_FAILED']);
    expect([calls, shown]).toEqual([4, [1]]);
  });

  it('does not load for ever what is always too old', async () => {
    let calls = 0;
    const load = async (): Promise<Position> => {
      calls += 1;
      return { epoch: 'epoch-1', seq: 0 };
    };
    const { server, shown, errors } = follow({ load });
    for (let number = 1; number <= 5; number += 1) server.publish(ROOM, number);
    server.trim(ROOM, 1);
    await server.clock.advance(120 * SECOND);
    server.publish(ROOM, 6);
    await server.clock.advance(SECOND);
    expect(errors.map(({ code }) => code)).toContain('LOAD_TOO_OLD');
    expect(calls).toBeLessThan(10);
    expect(shown.at(-1)).toBe(6);
  });

  it('keeps its place when a handler throws', async () => {
    const shown: unknown[] = [];
    const onMessage = ({ data }: { data: unknown }): void => {
      shown.push(data);
      if (data === 1) throw new Error('mine');
    };
    const { server, errors } = follow({ onMessage });
    await server.clock.advance(SECOND);
    server.publish(ROOM, 1);
    server.publish(ROOM, 2);
    await server.clock.advance(10);
    expect(shown).toEqual([1, 2]);
    expect(errors).toMatchObject([{ code: 'HANDLER_FAILED', cause: new Error('mine') }]);
  });

  it('is one subscription for all who read it, and ends a second after the last of them', async () => {
    const { server, client, channel, shown, asked } = follow();
    const other: unknown[] = [];
    const second = client.channel(ROOM, { onMessage: ({ data }) => other.push(data) });
    await server.clock.advance(SECOND);
    server.publish(ROOM, 1);
    await server.clock.advance(10);
    channel.close();
    second.close();
    expect([channel.getSnapshot().state, shown, other]).toEqual(['closed', [1], [1]]);
    await server.clock.advance(900);
    const third = client.channel(ROOM, { onMessage: ({ data }) => other.push(data) });
    await server.clock.advance(5 * SECOND);
    server.publish(ROOM, 2);
    await server.clock.advance(10);
    expect([asked('subscribe').length, asked('unsubscribe').length, shown, other]).toEqual([1, 0, [1], [1, 2]]);
    third.close();
    await server.clock.advance(1_100);
    expect(asked('unsubscribe')).toEqual([{ channel: ROOM }]);
  });

  it('is subscribed again when the server is busy, and refused when it may not be read', async () => {
    const { server, channel, errors } = follow();
    server.failNext('subscribe', 'SERVER_BUSY', 2_000);
    await server.clock.advance(SECOND);
    expect(channel.getSnapshot().state).toBe('subscribing');
    await server.clock.advance(5 * SECOND);
    expect(channel.getSnapshot().state).toBe('live');
    server.unsubscribe(ROOM, 'FORBIDDEN');
    await server.clock.advance(10);
    expect(channel.getSnapshot()).toMatchObject({ state: 'refused', error: { code: 'FORBIDDEN' } });
    expect(errors.map(({ code }) => code)).toEqual(['FORBIDDEN']);
  });

  it('knows who is in it', async () => {
    const seen: string[][] = [];
    const { server } = follow({ onPresence: (members) => seen.push(members.map(({ userId }) => userId)) });
    await server.clock.advance(SECOND);
    server.presence(ROOM, 'join', 'bob');
    server.presence(ROOM, 'join', 'eve');
    server.presence(ROOM, 'leave', 'bob');
    await server.clock.advance(10);
    expect(seen).toEqual([['session-1'], ['session-1', 'bob'], ['session-1', 'bob', 'eve'], ['session-1', 'eve']]);
  });

  it('knows who is in it, too, if the first to ask comes while the subscribe is under way', async () => {
    const { server, client } = follow();
    let isOpen = false;
    const seen: string[][] = [];
    client.subscribe(() => {
      if (isOpen || client.getSnapshot().state !== 'open') return;
      isOpen = true;
      server.clock.setTimeout(
        () => client.channel(ROOM, { onPresence: (list) => seen.push(list.map(({ userId }) => userId)) }),
        1,
      );
    });
    await server.clock.advance(SECOND);
    expect(seen).toEqual([['session-1']]);
  });

  it('names the session before this one, so that its own publications stay excluded', async () => {
    const { server, asked } = follow();
    await server.clock.advance(SECOND);
    server.closeAll(1006);
    await server.clock.advance(SECOND);
    expect(asked('subscribe')).toMatchObject([{}, { previousSession: 'session-1' }]);
  });

  it.each(['{', '[[]]', '{"type":7}', '{"v":9,"type":"message"}', '{"type":"message","channel":7}', '\u0000'])(
    'loads again when the server sends %j, which may have been a publication',
    async (frame) => {
      let loads = 0;
      const load = async (): Promise<Position> => {
        loads += 1;
        await Promise.resolve();
        return server.positionOf(ROOM);
      };
      const { server, errors, shown } = follow({ load });
      await server.clock.advance(SECOND);
      server.emit(frame);
      await server.clock.advance(SECOND);
      server.publish(ROOM, 'after');
      await server.clock.advance(SECOND);
      expect(errors.map(({ code }) => code)).toEqual(['BAD_MESSAGE']);
      expect([loads, shown]).toEqual([2, ['after']]);
    },
  );

  it('ignores messages of types and channels that it does not know', async () => {
    const { server, errors, channel } = follow();
    await server.clock.advance(SECOND);
    server.emit({ type: 'brand_new', data: { of: 'a later version' } });
    server.emit('{"type":"message","channel":"room:other","seq":1,"epoch":"x","data":1}');
    await server.clock.advance(SECOND);
    expect([errors, channel.getSnapshot().state]).toEqual([[], 'live']);
  });

  it('loses nothing that did not fit behind a slow load', async () => {
    let release: (position: Position) => void = () => {};
    const load = (): Promise<Position> => new Promise((resolve) => (release = resolve));
    const { server, shown } = follow({ load });
    await server.clock.advance(SECOND);
    const position = server.positionOf(ROOM);
    for (let number = 1; number <= 1_500; number += 1) server.publish(ROOM, number);
    await server.clock.advance(SECOND);
    release(position);
    await server.clock.advance(SECOND);
    expect(shown).toEqual(Array.from({ length: 1_500 }, (_, index) => index + 1));
  });
});
