import { Module } from '@nestjs/common';
import { MessageBody, SubscribeMessage } from '@nestjs/websockets';
import {
  BeforeSubscribe,
  Broadcaster,
  Channels,
  CurrentSession,
  Emits,
  GatehouseError,
  RealtimeGateway,
} from 'gatehouse';
import type { Session } from 'gatehouse';
import { startTestServer } from 'gatehouse/testing';
import { describe, expect, it } from 'vitest';

@Emits('lobby.typing')
@RealtimeGateway()
class LobbyGateway {
  constructor(
    private readonly channels: Channels,
    private readonly broadcaster: Broadcaster,
  ) {}

  @SubscribeMessage('lobby.say')
  async say(@MessageBody('text') text: string, @CurrentSession() session: Session): Promise<void> {
    await this.channels.publish('room:lobby', { text }, { from: session });
  }

  @SubscribeMessage('lobby.typing')
  typing(@CurrentSession() session: Session): { receivers: number } {
    return { receivers: this.broadcaster.toChannel('room:lobby').from(session).except(session).emit('lobby.typing') };
  }

  @SubscribeMessage('lobby.mistyped')
  mistyped(@MessageBody('by') by: string): unknown {
    return by === 'broadcaster'
      ? this.broadcaster.toChannel('romo:lobby').emit('lobby.typing')
      : this.channels.publish('romo:lobby', 'x');
  }

  @SubscribeMessage('lobby.failing')
  failing(): never {
    throw GatehouseError.retryable(new Error('the database is away'), { retryAfter: 2_000 });
  }
}

@Module({ providers: [LobbyGateway] })
class LobbyModule {}

describe('a gateway', () => {
  it('publishes in a channel by its name, in the name of a session', async () => {
    await using server = await startTestServer({ features: [LobbyModule] });
    await using ann = await server.connect({ sub: 'ann' });
    await ann.request('subscribe', { channel: 'room:lobby' });
    await ann.request('lobby.say', { text: 'hi' });
    const message = await ann.next('message');
    expect(message).toMatchObject({ channel: 'room:lobby', seq: 1, data: { text: 'hi' }, from: { userId: 'ann' } });
  });

  it('sends to those who are subscribed to a channel, and keeps nothing', async () => {
    await using server = await startTestServer({ features: [LobbyModule] });
    await using ann = await server.connect({ sub: 'ann' });
    await using ben = await server.connect({ sub: 'ben' });
    await using eve = await server.connect({ sub: 'eve' });
    expect(await ann.request('lobby.typing')).toEqual({ receivers: 0 });
    for (const client of [ann, ben]) await client.request('subscribe', { channel: 'room:lobby' });
    expect(await ann.request('lobby.typing')).toEqual({ receivers: 1 });
    expect(await ben.next('lobby.typing')).toMatchObject({ from: { userId: 'ann' } });
    expect(await eve.request('subscribe', { channel: 'room:lobby' })).toMatchObject({ seq: 0, publications: [] });
  });

  it.each(['channels', 'broadcaster'])('that mistypes a namespace is told the file to edit, by %s', async (by) => {
    await using server = await startTestServer({ features: [LobbyModule] });
    await using ann = await server.connect();
    await expect(ann.request('lobby.mistyped', { by })).rejects.toMatchObject({ code: 'INTERNAL_ERROR' });
    const log = JSON.stringify(server.logLines);
    expect(log).toContain('Invalid channel');
    expect(log).toContain('Add yours to config/channels.yaml, or set CHANNELS_FILE');
  });

  it('answers for a database that fails, and has the cause logged', async () => {
    await using server = await startTestServer({ features: [LobbyModule] });
    await using ann = await server.connect();
    ann.send({ type: 'lobby.failing', id: 1 });
    expect(await ann.next()).toMatchObject({ type: 'error', code: 'UPSTREAM_UNAVAILABLE', retryAfter: 2_000 });
    expect(JSON.stringify(server.logLines)).toContain('the database is away');
  });

  it('with a hook for a namespace that is missing does not start, and is told the file to edit', async () => {
    class Hooks {
      @BeforeSubscribe('romo')
      decide(): void {}
    }
    @Module({ providers: [Hooks] })
    class HooksModule {}
    await expect(startTestServer({ features: [HooksModule] })).rejects.toThrow(
      'names no namespace: romo. Namespaces are: room, feed, user, telemetry, twin, fleet. Add yours to config/channels.yaml',
    );
  });
});
