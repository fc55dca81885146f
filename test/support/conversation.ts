import { Catch, Module, UseFilters } from '@nestjs/common';
import { MessageBody, SubscribeMessage } from '@nestjs/websockets';
import { IsInt, Min } from 'class-validator';
import { Broadcaster, CurrentSession, GatehouseError, RealtimeGateway, Roles, type Session } from 'gatehouse';
import { from, type Observable } from 'rxjs';
import { expect, it } from 'vitest';
import { ReplyError, TestClient, type ServerSent } from '../../src/testing/test-client.js';
import { mintToken } from './test-server.js';

/** Where the conversation takes place: a server, or a function behind API Gateway. */
export interface ConversationHost {
  readonly url: string;
}

class Sum {
  @IsInt()
  @Min(1)
  left!: number;

  @IsInt()
  right!: number;
}

class Broken extends Error {}

@Catch(Broken)
class BrokenFilter {
  catch(): Error {
    return new GatehouseError('SERVER_BUSY', { message: 'By the filter' });
  }
}

@RealtimeGateway()
class SumGateway {
  constructor(private readonly broadcaster: Broadcaster) {}

  @SubscribeMessage('sum')
  sum(@MessageBody() { left, right }: Sum): { readonly sum: number } {
    return { sum: left + right };
  }

  @Roles('ADMIN')
  @SubscribeMessage('secret')
  secret(): string {
    return 'known';
  }

  @UseFilters(BrokenFilter)
  @SubscribeMessage('broken')
  broken(): never {
    throw new Broken();
  }

  @SubscribeMessage('three')
  three(): Observable<number> {
    return from([1, 2, 3]);
  }

  @SubscribeMessage('admins')
  async admins(@MessageBody() data: unknown, @CurrentSession() session: Session): Promise<number> {
    return this.broadcaster.toRole('ADMIN').except(session).deliver('admins', data);
  }
}

/** A feature of an application: what it declares holds on every host. */
@Module({ providers: [SumGateway] })
export class ConversationFeature {}

/** For both hosts, so that refusals have a status and namespaces are the same. */
export const CONVERSATION_ENVIRONMENT = { AUTH_REFUSAL: 'http', HISTORY_BUDGET_BYTES: '0' };

function join(host: ConversationHost, claims: Record<string, unknown> = {}): Promise<TestClient> {
  return TestClient.connect(host.url, mintToken(claims));
}

async function codeOf(request: Promise<unknown>): Promise<string | undefined> {
  return request.then(
    () => undefined,
    (error: unknown) => (error instanceof ReplyError ? error.code : String(error)),
  );
}

const now = (): number => Math.floor(Date.now() / 1_000);

/** The same messages, replies and errors on every host. */
export function builtInConversation(host: () => ConversationHost): void {
  it.each([[{ text: 'hé', list: [1, null, true, ''] }], ['plain'], [0], [false], [null], [[[], [1]]]])(
    'echo sends the same data back: %j',
    async (data) => {
      await using client = await join(host());
      expect(await client.request('echo', data)).toEqual(data);
    },
  );

  it('answers nothing to a request without id whose reply is empty', async () => {
    await using client = await join(host());
    client.send({ type: 'echo' });
    client.send({ type: 'echo', data: 'but this' });
    expect((await client.next('echo_reply')).data).toBe('but this');
  });

  it('ping tells the time', async () => {
    await using client = await join(host());
    const before = Date.now();
    const { serverTime } = await client.request<{ serverTime: number }>('ping');
    expect(serverTime).toBeGreaterThanOrEqual(before);
  });

  it('hello tells whose session it is', async () => {
    await using client = await join(host(), { sub: 'bob', roles: ['MEMBER'] });
    expect(await client.request('hello')).toMatchObject({
      sessionId: expect.any(String) as string,
      nodeId: 'test-node',
      userId: 'bob',
      roles: ['MEMBER'],
      protocol: 'v1.json',
      heartbeat: { intervalMs: expect.any(Number) as number },
      serverTime: expect.any(Number) as number,
    });
  });

  it('auth_refresh takes over the roles, and refuses a bad token and that of another', async () => {
    await using client = await join(host(), { sub: 'bob', roles: ['OLD'] });
    const exp = now() + 7_200;
    const refresh = (token: unknown): Promise<unknown> => client.request('auth_refresh', { token });
    expect(await codeOf(refresh(mintToken({ sub: 'eve', roles: ['ADMIN'] })))).toBe('FORBIDDEN');
    expect(await codeOf(refresh(mintToken({ sub: 'bob', exp: now() - 100 })))).toBe('UNAUTHENTICATED');
    expect(await codeOf(refresh(5))).toBe('VALIDATION_FAILED');
    expect(await client.request('hello')).toMatchObject({ roles: ['OLD'] });
    expect(await refresh(mintToken({ sub: 'bob', roles: ['NEW'], exp }))).toEqual({ expiresAt: exp * 1_000 });
    expect(await client.request('hello')).toMatchObject({ userId: 'bob', roles: ['NEW'] });
  });

  it('broadcast reaches everybody, the sender too', async () => {
    await using sender = await join(host(), { sub: 'bob' });
    await using receiver = await join(host(), { sub: 'carol' });
    const { sessionId } = await sender.request<{ sessionId: string }>('hello');
    await sender.request('broadcast', { text: 'hi' });
    const expected = { v: 1, type: 'broadcast', data: { text: 'hi' }, from: { userId: 'bob', sessionId } };
    expect(await receiver.next('broadcast')).toEqual(expected);
    expect(await sender.next('broadcast')).toEqual(expected);
  });

  it('send_message reaches every session of that user, and nobody else', async () => {
    await using sender = await join(host(), { sub: 'bob' });
    await using phone = await join(host(), { sub: 'dora' });
    await using laptop = await join(host(), { sub: 'dora' });
    await using stranger = await join(host(), { sub: 'eve' });
    const message = { text: 'psst' };
    expect(await sender.request('send_message', { targetUserId: 'dora', message })).toEqual({ sessions: 2 });
    const expected = { data: { from: { userId: 'bob' }, message } };
    expect(await phone.next('direct_message')).toMatchObject(expected);
    expect(await laptop.next('direct_message')).toMatchObject(expected);
    expect(await sender.request('send_message', { targetUserId: 'nobody', message })).toEqual({ sessions: 0 });
    await stranger.request('send_message', { targetUserId: 'eve', message: 'own' });
    expect((await stranger.next('direct_message')).data).toMatchObject({ message: 'own' });
  });

  it('errors have their code, and the id of the request', async () => {
    await using client = await join(host());
    expect(await codeOf(client.request('nonsense'))).toBe('UNKNOWN_MESSAGE_TYPE');
    expect(await codeOf(client.request('send_message', { message: 1 }))).toBe('VALIDATION_FAILED');
    client.send({ id: 9 } as never);
    expect(await client.next('error')).toMatchObject({ code: 'INVALID_MESSAGE_FORMAT', id: 9 });
  });

  it('a feature has its validation, guards, filters and streams', async () => {
    await using client = await join(host());
    expect(await client.request('sum', { left: 1, right: 2 })).toEqual({ sum: 3 });
    const failure = await client.request('sum', { left: 0, right: 'x' }).catch((error: unknown) => error as ReplyError);
    expect(failure).toMatchObject({ code: 'VALIDATION_FAILED', details: { left: expect.anything() as object } });
    expect(await codeOf(client.request('secret'))).toBe('FORBIDDEN');
    const broken = await client.request('broken').catch((error: unknown) => error as ReplyError);
    expect(broken).toMatchObject({ code: 'SERVER_BUSY', message: 'By the filter' });
    client.send({ type: 'three', id: 'stream' });
    for (const data of [1, 2, 3]) expect(await client.next('three_reply')).toMatchObject({ id: 'stream', data });
  });

  it('a message for a role reaches those who have it', async () => {
    await using sender = await join(host(), { sub: 'boss', roles: ['ADMIN'] });
    await using admin = await join(host(), { sub: 'carol', roles: ['ADMIN'] });
    await using other = await join(host(), { sub: 'eve' });
    expect(await sender.request('admins', 'meet')).toBe(1);
    expect((await admin.next('admins')).data).toBe('meet');
    expect(await other.request('echo', 1)).toBe(1);
    await expect(Promise.race([other.next('admins'), other.request('ping')])).resolves.toHaveProperty('serverTime');
  });

  it('a client without a token, or with a bad one, is refused with 401', async () => {
    const refused = (token: string | undefined): Promise<unknown> =>
      TestClient.connect(host().url, token).catch((error: unknown) => (error as Error).message);
    expect(await refused(undefined)).toContain('401');
    expect(await refused(mintToken({}, 'a-secret-of-somebody-else-entirely'))).toContain('401');
    expect(await refused(mintToken({ exp: now() - 100 }))).toContain('401');
  });
}

/** The same channels on every host. The order of a push and a reply is not part of it. */
export function channelConversation(host: () => ConversationHost): void {
  const name = (): string => `room:${Math.random().toString(36).slice(2)}`;

  it('channels carry what a member publishes to every member, with a position', async () => {
    const channel = name();
    await using alice = await join(host());
    await using bob = await join(host(), { sub: 'bob' });
    const joined = await alice.request<{ epoch: string }>('subscribe', { channel });
    expect(joined).toMatchObject({ channel, seq: 0, recovered: false, publications: [] });
    await bob.request('subscribe', { channel });
    const { epoch } = joined;
    expect(await bob.request('publish', { channel, data: 'hi' })).toEqual({ channel, epoch, seq: 1 });
    const expected = { type: 'message', channel, seq: 1, epoch, data: 'hi', from: { userId: 'bob' } };
    expect(await alice.next('message')).toMatchObject(expected);
    expect(await bob.next('message')).toMatchObject(expected);
    await bob.request('publish', { channel, data: 'not me', excludeSelf: true });
    expect(await alice.next('message')).toMatchObject({ seq: 2, data: 'not me' });
    await alice.request('publish', { channel, data: 'all' });
    expect(await bob.next('message')).toMatchObject({ seq: 3, data: 'all' });
  });

  it('a client that comes back gets what it missed, or is told of the gap', async () => {
    const channel = name();
    await using bob = await join(host(), { sub: 'bob' });
    const { epoch } = await bob.request<{ epoch: string }>('subscribe', { channel });
    for (const data of [1, 2, 3, 4]) await bob.request('publish', { channel, data });
    await using alice = await join(host());
    expect(await alice.request('subscribe', { channel, since: { epoch, seq: 1 } })).toMatchObject({
      recovered: true,
      seq: 4,
      publications: [2, 3, 4].map((seq) => ({ seq, data: seq })),
    });
    const lost = await alice.request('subscribe', { channel, since: { epoch: 'other', seq: 9 } });
    expect(lost).toMatchObject({ recovered: false, gap: { from: null } });
  });

  it('history is read forward, backward and in part', async () => {
    const channel = name();
    await using bob = await join(host(), { sub: 'bob' });
    const { epoch } = await bob.request<{ epoch: string }>('subscribe', { channel });
    for (const data of [1, 2, 3, 4]) await bob.request('publish', { channel, data });
    const read = async (query: object): Promise<readonly number[]> => {
      const { publications } = await bob.request<{ publications: { seq: number }[] }>('history', { channel, ...query });
      return publications.map(({ seq }) => seq);
    };
    expect(await read({})).toEqual([1, 2, 3, 4]);
    expect(await read({ limit: 2 })).toEqual([1, 2]);
    expect(await read({ limit: 2, reverse: true })).toEqual([4, 3]);
    expect(await read({ since: { epoch, seq: 3 } })).toEqual([4]);
  });

  it('the rules of namespaces hold', async () => {
    const channel = name();
    await using alice = await join(host());
    expect(await codeOf(alice.request('subscribe', { channel: 'nope:x' }))).toBe('UNKNOWN_CHANNEL');
    expect(await codeOf(alice.request('publish', { channel, data: 1 }))).toBe('NOT_SUBSCRIBED');
    expect(await codeOf(alice.request('publish', { channel: 'feed:x', data: 1 }))).toBe('FORBIDDEN');
    expect(await codeOf(alice.request('subscribe', { channel: 'user:bob' }))).toBe('FORBIDDEN');
    expect(await codeOf(alice.request('unsubscribe', { channel }))).toBe('NOT_SUBSCRIBED');
    expect(await alice.request('subscribe', { channel: 'user:alice' })).toMatchObject({ channel: 'user:alice' });
  });

  it('nothing comes after an unsubscribe, and only the members publish', async () => {
    const channel = name();
    await using alice = await join(host());
    await using bob = await join(host(), { sub: 'bob' });
    await alice.request('subscribe', { channel });
    await bob.request('subscribe', { channel });
    expect(await alice.request('unsubscribe', { channel })).toEqual({ channel });
    await bob.request('publish', { channel, data: 1 });
    expect((await bob.next('message')).data).toBe(1);
    expect(await codeOf(alice.request('publish', { channel, data: 2 }))).toBe('NOT_SUBSCRIBED');
    await expect(Promise.race([alice.next('message'), alice.request('ping')])).resolves.toHaveProperty('serverTime');
  });

  it('a repeated idempotency key publishes once, and has the first position', async () => {
    const channel = name();
    await using alice = await join(host());
    const { epoch } = await alice.request<{ epoch: string }>('subscribe', { channel });
    const publish = (data: number): Promise<unknown> =>
      alice.request('publish', { channel, data, idempotencyKey: 'once' });
    expect(await publish(1)).toEqual({ channel, epoch, seq: 1 });
    expect(await publish(2)).toEqual({ channel, epoch, seq: 1 });
    expect((await alice.next('message')).data).toBe(1);
    expect(await alice.request('history', { channel })).toMatchObject({ publications: [{ seq: 1, data: 1 }] });
  });

  it('presence lists who is there, and tells who comes and goes', async () => {
    const channel = name();
    await using alice = await join(host());
    await alice.request('subscribe', { channel, presence: true });
    await using bob = await join(host(), { sub: 'bob' });
    await bob.request('subscribe', { channel });
    expect(await alice.next('presence')).toMatchObject({ channel, data: { event: 'join', member: { userId: 'bob' } } });
    const { members } = await alice.request<{ members: { userId: string }[] }>('presence', { channel });
    expect(members.map(({ userId }) => userId).toSorted()).toEqual(['alice', 'bob']);
    await bob.request('unsubscribe', { channel });
    expect(await alice.next('presence')).toMatchObject({ data: { event: 'leave', member: { userId: 'bob' } } });
    expect(await alice.request('presence', { channel })).toMatchObject({ count: 1 });
  });

  it('a channel without history carries messages without a position', async () => {
    const channel = `telemetry:${Math.random().toString(36).slice(2)}`;
    await using alice = await join(host());
    await using bob = await join(host(), { sub: 'bob' });
    await alice.request('subscribe', { channel });
    expect(await bob.request('publish', { channel, data: 7 })).toEqual({ channel });
    const message: ServerSent = await alice.next('message');
    expect(message.data).toBe(7);
    expect(message).not.toHaveProperty('seq');
  });

  it('a subscription ends with the right to it', async () => {
    const granted = { channels: { 'user:bob': ['subscribe'] } };
    await using alice = await join(host(), granted);
    await alice.request('subscribe', { channel: 'user:bob' });
    await alice.request('auth_refresh', { token: mintToken({}) });
    expect(await alice.next('unsubscribed')).toMatchObject({ channel: 'user:bob', data: { code: 'FORBIDDEN' } });
    expect(await codeOf(alice.request('unsubscribe', { channel: 'user:bob' }))).toBe('NOT_SUBSCRIBED');
  });
}
