import { Injectable, Module, Scope } from '@nestjs/common';
import { MessageBody, SubscribeMessage, WsException } from '@nestjs/websockets';
import { describe, expect, it } from 'vitest';
import { BeforePublish, BeforeSubscribe, type ChannelRequest } from '../../src/channels/channel-hooks.js';
import { Channels } from '../../src/channels/channels.js';
import { ChannelsModule } from '../../src/channels/channels.module.js';
import type { MessageContext } from '../../src/dispatch/calls/message-context.js';
import { CurrentMessage } from '../../src/dispatch/calls/parameter-decorators.js';
import { RealtimeGateway } from '../../src/dispatch/realtime-gateway.js';
import { GatehouseError } from '../../src/protocol/gatehouse-error.js';
import { feature } from '../support/feature.js';
import { gate } from '../support/gate.js';
import { connect } from '../support/test-client.js';
import { startTestServer } from '../support/test-server.js';

@RealtimeGateway()
class OrdersGateway {
  constructor(private readonly channels: Channels) {}

  @SubscribeMessage('orders.follow')
  async follow(@MessageBody() names: string[], @CurrentMessage() context: MessageContext) {
    const seqs: unknown[] = [];
    for (const name of names) {
      const { goLive, seq } = await this.channels.subscribe(context.session, this.channels.named(name));
      context.afterReply(goLive);
      seqs.push(seq);
    }
    return seqs;
  }

  @SubscribeMessage('orders.ship')
  async ship(@MessageBody() order: unknown) {
    const channel = this.channels.named('feed:orders');
    await this.channels.publish(channel, { data: order });
    const { publications } = await this.channels.history(channel, { limit: 1, reverse: true });
    return { kept: publications[0]?.data, members: await this.channels.members(channel) };
  }

  @SubscribeMessage('orders.ask')
  ask(@MessageBody() question: unknown, @CurrentMessage() { session }: MessageContext) {
    const once = { from: session, idempotencyKey: 'one question' };
    return this.channels.publish(this.channels.named('feed:orders'), { data: question, ...once });
  }

  @SubscribeMessage('orders.spoil')
  spoil() {
    return this.channels.publish(this.channels.named('feed:orders'), { data: new Map() });
  }

  @SubscribeMessage('orders.drop')
  drop(@CurrentMessage() { session }: MessageContext) {
    return this.channels.unsubscribe(session, this.channels.named('feed:orders'));
  }
}

@Module({ imports: [ChannelsModule], providers: [OrdersGateway] })
class OrdersModule {}

describe('the Channels service', () => {
  it('names a session as the publisher, and nothing else of it', async () => {
    await using server = await startTestServer({}, [OrdersModule]);
    await using other = await connect(server.url, { claims: { sub: 'bob' } });
    await other.request('orders.follow', ['feed:orders']);
    await using client = await connect(server.url, { claims: { sub: 'alice' } });
    const { sessionId } = (await client.request('hello')).data as { sessionId: string };
    const { data: first } = await client.request('orders.ask', 'where?');
    expect((await other.next()).from).toEqual({ userId: 'alice', sessionId });
    // The key is the user's own, as where the session itself publishes.
    expect((await client.request('orders.ask', 'where?')).data).toMatchObject({
      isRepeat: true,
      position: (first as { position: object }).position,
    });
  });

  it('lets a gateway publish, subscribe sessions, and read', async () => {
    await using server = await startTestServer({}, [OrdersModule]);
    await using client = await connect(server.url);
    expect(await client.request('orders.follow', ['feed:orders', 'feed:news'])).toMatchObject({ data: [0, 0] });
    const message = await client.request('orders.ship', { id: 7 });
    expect(message).toMatchObject({ type: 'message', channel: 'feed:orders', seq: 1, data: { id: 7 } });
    expect(message).not.toHaveProperty('from');
    expect(await client.next()).toMatchObject({ data: { kept: { id: 7 }, members: [] } });

    const channels = server.app.get(Channels, { strict: false });
    await channels.publish(channels.named('feed:news'), { data: 'both are live' });
    expect(await client.next()).toMatchObject({ channel: 'feed:news' });
    await client.request('orders.drop');
    expect(await client.request('orders.ship', { id: 8 })).toMatchObject({ type: 'orders.ship_reply' });
  });

  it('refuses what nobody could be sent, and it spoils no history', async () => {
    await using server = await startTestServer({}, [OrdersModule]);
    await using client = await connect(server.url);
    expect(await client.request('orders.spoil')).toMatchObject({ code: 'INTERNAL_ERROR' });
    const again = await client.request('subscribe', { channel: 'feed:orders', since: { epoch: 'x', seq: 0 } });
    expect(again).toMatchObject({ type: 'subscribe_reply', data: { seq: 0, publications: [] } });
  });
});

describe('a hook', () => {
  it('lets pass or refuses what the namespace allows, at once or later, for its namespace alone', async () => {
    const asked: unknown[] = [];

    @Injectable()
    class Bouncer {
      private readonly banned = 'mallory';

      @BeforeSubscribe('room')
      @BeforePublish('room')
      async check({ session, channel, data }: ChannelRequest): Promise<void> {
        await Promise.resolve();
        asked.push([session.userId, channel.localName, data]);
        if (session.userId === this.banned) throw new GatehouseError('FORBIDDEN', { message: 'Not you' });
      }

      @BeforePublish('room')
      wash({ data }: ChannelRequest): void {
        if (data === 'dirt') throw new WsException({ code: 'WASH_IT', message: 'Please' });
      }
    }

    const providers = [Bouncer, { provide: 'ALIAS', useExisting: Bouncer }];
    await using server = await startTestServer({}, [feature(providers)]);
    await using alice = await connect(server.url);
    await using mallory = await connect(server.url, { claims: { sub: 'mallory' } });
    expect(await mallory.request('subscribe', { channel: 'room:a' })).toMatchObject({
      code: 'FORBIDDEN',
      message: 'Not you',
    });
    expect(await mallory.request('subscribe', { channel: 'feed:a' })).toMatchObject({ type: 'subscribe_reply' });
    expect(await alice.request('subscribe', { channel: 'room:a' })).toMatchObject({ type: 'subscribe_reply' });
    expect(await alice.request('publish', { channel: 'room:a', data: 'dirt' })).toMatchObject({ code: 'WASH_IT' });
    expect(await alice.request('publish', { channel: 'room:a', data: 'soap' })).toMatchObject({ type: 'message' });
    expect(asked).toEqual([
      ['mallory', 'a', undefined],
      ['alice', 'a', undefined],
      ['alice', 'a', 'dirt'],
      ['alice', 'a', 'soap'],
    ]);
  });

  it('is not asked about what the namespace refuses', async () => {
    @Injectable()
    class Hooks {
      calls = 0;

      @BeforePublish('feed')
      count(): void {
        this.calls += 1;
      }
    }

    await using server = await startTestServer({}, [feature([Hooks])]);
    await using client = await connect(server.url);
    expect(await client.request('publish', { channel: 'feed:a', data: 1 })).toMatchObject({ code: 'FORBIDDEN' });
    expect(server.app.get(Hooks, { strict: false }).calls).toBe(0);
  });

  it('may take its time: an unsubscribe that comes meanwhile is handled behind it', async () => {
    const door = gate();

    @Injectable()
    class Slow {
      @BeforeSubscribe('room')
      async hold(): Promise<void> {
        await door.opened;
      }
    }

    await using server = await startTestServer({}, [feature([Slow])]);
    await using client = await connect(server.url);
    client.send({ type: 'subscribe', id: 1, data: { channel: 'room:a' } });
    client.send({ type: 'unsubscribe', id: 2, data: { channel: 'room:a' } });
    door.open();
    expect(await client.next()).toMatchObject({ type: 'subscribe_reply', id: 1 });
    expect(await client.next()).toMatchObject({ type: 'unsubscribe_reply', id: 2 });
    expect(await client.request('unsubscribe', { channel: 'room:a' })).toMatchObject({ code: 'NOT_SUBSCRIBED' });
  });

  it('for a namespace that is not there, or of a request-scoped provider, stops the start', async () => {
    @Injectable()
    class Mistyped {
      @BeforePublish('rooms')
      check(): void {}
    }

    @Injectable({ scope: Scope.REQUEST })
    class Scoped {
      @BeforePublish('room')
      check(): void {}
    }

    await expect(startTestServer({}, [feature([Mistyped])])).rejects.toThrow(
      'The channel hook Mistyped.check names no namespace: rooms',
    );
    await expect(startTestServer({}, [feature([Scoped])])).rejects.toThrow('belongs to a request-scoped provider');
  });
});
