import { Module } from '@nestjs/common';
import { MessageBody, SubscribeMessage } from '@nestjs/websockets';
import { IsInt, Max } from 'class-validator';
import { Broadcaster, CurrentSession, RealtimeGateway, Roles, type Session } from 'gatehouse';
import { startTestServer, StoppedClock } from 'gatehouse/testing';
import { describe, expect, it } from 'vitest';

class Reading {
  @IsInt()
  @Max(1_000)
  value!: number;
}

@RealtimeGateway()
class ReadingsGateway {
  constructor(private readonly broadcaster: Broadcaster) {}

  @Roles('SENSOR')
  @SubscribeMessage('readings.put')
  put(@MessageBody() { value }: Reading, @CurrentSession() session: Session): { receivers: number } {
    return { receivers: this.broadcaster.toEveryone().from(session).emit('readings.came', { value }) };
  }
}

@Module({ providers: [ReadingsGateway] })
class ReadingsModule {}

describe('gatehouse/testing', () => {
  it('starts a server with the features of a test, and gives clients that tell replies from other messages', async () => {
    await using server = await startTestServer({ features: [ReadingsModule] });
    await using probe = await server.connect({ sub: 'probe-1', roles: ['SENSOR'] });
    const reply = await probe.request<{ receivers: number }>('readings.put', { value: 7 });
    expect(reply.receivers).toBe(1);
    expect(await probe.next<{ value: number }>('readings.came')).toMatchObject({
      data: { value: 7 },
      from: { userId: 'probe-1' },
    });
  });

  it('rejects a request that is answered with an error, with its code and details', async () => {
    await using server = await startTestServer({ features: [ReadingsModule] });
    await using probe = await server.connect({ roles: ['SENSOR'] });
    await expect(probe.request('readings.put', { value: 5_000 })).rejects.toMatchObject({
      code: 'VALIDATION_FAILED',
      details: { value: [expect.any(String)] },
    });
    await using guest = await server.connect();
    await expect(guest.request('readings.put', { value: 1 })).rejects.toMatchObject({ code: 'FORBIDDEN' });
  });

  it('connects without a token where it is told to', async () => {
    await using server = await startTestServer({ settings: { AUTH_MODE: 'optional' } });
    await using guest = await server.connect(false);
    expect(await guest.request('hello')).toMatchObject({ userId: null });
    await using bob = await server.connect({ sub: 'bob' });
    expect(await bob.request('hello')).toMatchObject({ userId: 'bob' });
  });

  it('takes settings, and lets a test move the clock', async () => {
    await using server = await startTestServer({ settings: { MESSAGE_RATE: 1, MESSAGE_BURST: 1 } });
    await using client = await server.connect();
    using clock = new StoppedClock();
    await client.request('echo', 1);
    await expect(client.request('echo', 2)).rejects.toMatchObject({ code: 'RATE_LIMIT_EXCEEDED' });
    clock.pass(1_000);
    expect(await client.request('echo', 3)).toBe(3);
  });

  it('fails what waits for a message when the connection ends', async () => {
    const server = await startTestServer();
    await using client = await server.connect();
    const message = client.next();
    const failure = expect(message).rejects.toThrow('The connection closed with 1012');
    await server[Symbol.asyncDispose]();
    await failure;
    expect(await client.closed).toMatchObject({ code: 1012 });
    await expect(client.next()).rejects.toThrow('The connection is closed');
  });
});
