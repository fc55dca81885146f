import { Module } from '@nestjs/common';
import { MessageBody, SubscribeMessage } from '@nestjs/websockets';
import { IsInt, Max } from 'class-validator';
import { Broadcaster, Channels, CurrentSession, Emits, RealtimeGateway, Reply, Roles, type Session } from 'gatehouse';
import { startTestServer, StoppedClock } from 'gatehouse/testing';
import { describe, expect, it } from 'vitest';
import { namespacesFile } from '../support/namespaces-file.js';

class Reading {
  @IsInt()
  @Max(1_000)
  value!: number;
}

@Emits('readings.came', Reading)
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

class Total {
  @IsInt()
  total!: number;
}

@Emits('totals.made', Total)
@RealtimeGateway()
class CarelessGateway {
  constructor(
    private readonly broadcaster: Broadcaster,
    private readonly channels: Channels,
  ) {}

  @SubscribeMessage('undeclared')
  undeclared(): void {
    this.broadcaster.toEveryone().emit('totals.mad', { total: 1 });
  }

  @SubscribeMessage('wrong.event')
  async wrongEvent(): Promise<void> {
    await this.broadcaster.toEveryone().deliver('totals.made', { total: 'one' });
  }

  @SubscribeMessage('wrong.session')
  wrongSession(@CurrentSession() session: Session): void {
    session.send({ type: 'totals.made', data: {} });
  }

  @Reply(Total)
  @SubscribeMessage('wrong.reply')
  async wrongReply(): Promise<Total> {
    return { total: 1.5 };
  }

  @Reply()
  @SubscribeMessage('silent')
  async silent(): Promise<void> {
    return JSON.parse('1') as undefined;
  }

  @SubscribeMessage('wrong.publication')
  async wrongPublication(): Promise<void> {
    await this.channels.publish('totals:all', { total: null });
  }

  @SubscribeMessage('later')
  later(): void {
    try {
      this.undeclared();
    } catch {
      // As a careless application would.
    }
  }
}

@Module({ providers: [CarelessGateway] })
class CarelessModule {}

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

  it('rejects a request with what to do, where what it led to does not fit the contract', async () => {
    using file = namespacesFile({ totals: 'message: Total' });
    const { CHANNELS_FILE } = file.environment;
    await using server = await startTestServer({ features: [CarelessModule], settings: { CHANNELS_FILE } });
    await using client = await server.connect();
    const failures = {
      undeclared:
        '"totals.mad" is sent, and the contract does not declare it. Put @Emits(\'totals.mad\', ItsClass) before the gateway that sends it',
      'wrong.event':
        '"totals.made" does not fit Total: data/total must be integer. Send what the class says, or change the class',
      'wrong.session': '"totals.made" does not fit Total: data must have required property \'total\'',
      'wrong.reply': 'The reply to "wrong.reply" does not fit Total: data/total must be integer',
      silent:
        'The reply to "silent" carries data, and the contract says it does not. Put @Reply(ItsClass) on the handler',
      'wrong.publication': 'A publication in "totals:all" does not fit Total: data/total must be integer',
    };
    for (const [type, sentence] of Object.entries(failures))
      await expect(client.request(type)).rejects.toThrow(sentence);
  });

  it('fails at the end where the application hid such a fault, and not where the check is off', async () => {
    const server = await startTestServer({ features: [CarelessModule] });
    await using client = await server.connect();
    await client.request('later');
    await expect(server[Symbol.asyncDispose]()).rejects.toThrow('"totals.mad" is sent');
    await using unchecked = await startTestServer({ features: [CarelessModule], checkContract: false });
    await using other = await unchecked.connect();
    other.send({ type: 'undeclared' });
    expect(await other.next()).toMatchObject({ type: 'totals.mad' });
  });

  it('finds that what is built in keeps to its contract', async () => {
    await using server = await startTestServer();
    await using alice = await server.connect();
    const channel = 'room:lobby';
    await alice.request('subscribe', { channel, presence: true });
    await alice.request('publish', { channel, data: { text: 'hi' } });
    await using bob = await server.connect({ sub: 'bob' });
    const position = { epoch: 'another', seq: 0 };
    await bob.request('subscribe', { channel, since: position, presence: true });
    for (const type of ['history', 'presence', 'unsubscribe']) await bob.request(type, { channel });
    for (const type of ['ping', 'hello', 'echo', 'broadcast']) await bob.request(type, 1);
    await bob.request('send_message', { targetUserId: 'bob', message: 1 });
    await bob.request('auth_refresh', { token: server.mintToken({ sub: 'bob' }) });
    expect(await bob.next('direct_message')).toMatchObject({ data: { from: { userId: 'bob' }, message: 1 } });
    await using guest = await startTestServer({ settings: { AUTH_MODE: 'optional' } });
    await using nobody = await guest.connect(false);
    expect(await nobody.request('hello')).toMatchObject({ userId: null });
  });

  it('stops the calendar, which a test sets and moves, and sets it right again', () => {
    const before = Date.now();
    {
      using clock = new StoppedClock();
      clock.moveTo(new Date('2030-01-07T07:59:30Z'));
      expect(new Date().toISOString()).toBe('2030-01-07T07:59:30.000Z');
      const steady = performance.now();
      clock.pass(30_000);
      expect([Date.now(), new Date().getTime()]).toEqual(Array(2).fill(Date.parse('2030-01-07T08:00:00Z')));
      expect(Date()).toBe(new Date(Date.now()).toString());
      expect(performance.now() - steady).toBe(30_000);
      expect([new Date(0) instanceof Date, new Date(2_000, 0).getFullYear()]).toEqual([true, 2_000]);
      clock.moveTo(new Date(0));
      expect(new Date().getFullYear()).toBeLessThan(1_971);
    }
    expect(Date.now()).toBeGreaterThanOrEqual(before);
    expect(new Date().getTime()).toBeGreaterThanOrEqual(before);
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
