import { Injectable, Module } from '@nestjs/common';
import { MessageBody, SubscribeMessage } from '@nestjs/websockets';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Roles } from '../../src/access/guards/roles.js';
import { BeforeSubscribe, type ChannelRequest } from '../../src/channels/channel-hooks.js';
import { Channels } from '../../src/channels/channels.js';
import { ChannelsModule } from '../../src/channels/channels.module.js';
import type { MessageContext } from '../../src/dispatch/calls/message-context.js';
import { CurrentMessage } from '../../src/dispatch/calls/parameter-decorators.js';
import { RealtimeGateway } from '../../src/dispatch/realtime-gateway.js';
import { GatehouseError } from '../../src/protocol/gatehouse-error.js';
import { RevocationOrders } from '../../src/access/lists/revocation-orders.js';
import { Revocations } from '../../src/access/lists/revocations.js';
import { api } from '../support/api-client.js';
import { gate } from '../support/gate.js';
import { namespacesFile } from '../support/namespaces-file.js';
import { Scrape } from '../support/scrape.js';
import { StoppedClock } from '../support/stopped-clock.js';
import { connect, type TestClient } from '../support/test-client.js';
import { mintToken, startTestServer, type TestServer } from '../support/test-server.js';

const seconds = (ahead = 0): number => Math.floor(Date.now() / 1000) + ahead;

/** Of the namespace `club`: asks the roles itself, and may be slow or broken. */
@Injectable()
class ClubHook {
  door: Promise<void> | undefined;
  asked = 0;

  @BeforeSubscribe('club')
  async check({ session, channel }: ChannelRequest): Promise<void> {
    this.asked += 1;
    await this.door;
    if (session.roles.includes('BREAKS')) throw new Error('the database is gone');
    if (channel.localName !== 'open' && !session.roles.includes('MEMBER'))
      throw new GatehouseError('FORBIDDEN', { message: 'Members only' });
  }
}

@RealtimeGateway()
class StaffGateway {
  constructor(private readonly channels: Channels) {}

  @SubscribeMessage('staff.follow')
  async follow(@MessageBody() name: string, @CurrentMessage() context: MessageContext) {
    const { goLive } = await this.channels.subscribe(context.session, this.channels.named(name));
    context.afterReply(goLive);
  }

  @Roles('STAFF')
  @SubscribeMessage('staff.only')
  only() {
    return 'yes';
  }
}

@Module({ imports: [ChannelsModule], providers: [ClubHook, StaffGateway] })
class StaffModule {}

describe('rights', () => {
  const file = namespacesFile({
    staff: 'subscribe: [STAFF], publish: [SERVICE], history: { size: 100, age: 1h }, presence: true, join_leave: true',
    open: 'subscribe: signed_in, publish: [SERVICE], history: { size: 100, age: 1h }',
    capable: 'subscribe: nobody, presence: true, join_leave: true',
    club: 'subscribe: signed_in',
  });
  let server: TestServer;
  beforeAll(async () => void (server = await startTestServer(file.environment, [StaffModule])));
  afterAll(async () => {
    await server.close();
    file[Symbol.dispose]();
  });

  const staff = (sub: string, others: object = {}) => ({ sub, roles: ['STAFF'], ...others });
  const refresh = async (client: TestClient, claims: object) =>
    client.send({ type: 'auth_refresh', id: 'refresh', data: { token: mintToken({ iat: seconds(1), ...claims }) } });
  const publish = (channel: string, data: unknown) => api(server, 'POST /api/publish', { body: { channel, data } });
  const change = async (userId: string, body: object, token?: string) =>
    (await api(server, `PUT /api/users/${userId}/rights`, { body, ...(token !== undefined && { token }) })) as {
      status: number;
      body: object;
    };
  const unsubscribed = (channel: string, lost = 'channel', message = 'Insufficient privileges') => ({
    v: 1,
    type: 'unsubscribed',
    channel,
    data: { lost, code: 'FORBIDDEN', message },
  });

  async function follower(claims: Record<string, unknown>, ...channels: string[]): Promise<TestClient> {
    const client = await connect(server.url, { claims });
    for (const channel of channels)
      expect(await client.request('subscribe', { channel })).toMatchObject({ type: 'subscribe_reply' });
    return client;
  }

  describe('lost by auth_refresh', () => {
    it('take their subscription with them, say so before the reply, and leave the others without a gap', async () => {
      await using client = await follower(staff('ann'), 'open:a', 'staff:a', 'open:b');
      await publish('open:a', 1);
      expect(await client.next()).toMatchObject({ channel: 'open:a', seq: 1 });
      await refresh(client, { sub: 'ann', roles: ['MEMBER'] });
      expect(await client.next()).toEqual(unsubscribed('staff:a'));
      expect((await client.next()).type).toBe('auth_refresh_reply');
      await publish('staff:a', 'secret');
      await publish('open:a', 2);
      await publish('open:b', 1);
      expect(await client.next()).toMatchObject({ channel: 'open:a', seq: 2, data: 2 });
      expect(await client.next()).toMatchObject({ channel: 'open:b', seq: 1 });
      expect(await client.request('unsubscribe', { channel: 'staff:a' })).toMatchObject({ code: 'NOT_SUBSCRIBED' });
      expect(await client.request('subscribe', { channel: 'staff:a' })).toMatchObject({ code: 'FORBIDDEN' });
    });

    it('are told to the others as one leave', async () => {
      await using watcher = await connect(server.url, { claims: staff('watcher') });
      await watcher.request('subscribe', { channel: 'staff:b', presence: true });
      await using client = await follower(staff('ben'), 'staff:b');
      expect(await watcher.next()).toMatchObject({ data: { event: 'join', member: { userId: 'ben' } } });
      await refresh(client, { sub: 'ben' });
      expect(await client.next()).toEqual(unsubscribed('staff:b'));
      expect(await watcher.next()).toMatchObject({ data: { event: 'leave', member: { userId: 'ben' } } });
      await client[Symbol.asyncDispose]();
      expect(await watcher.request('presence', { channel: 'staff:b' })).toMatchObject({ data: { count: 1 } });
    });

    it('of a capability do the same, and where only presence is lost, only its events end', async () => {
      const channels = (...words: string[]) => ({ channels: { 'capable:*': words } });
      await using client = await connect(server.url, { claims: { sub: 'cid', ...channels('subscribe', 'presence') } });
      await client.request('subscribe', { channel: 'capable:a', presence: true });
      await using other = await follower({ sub: 'dan', ...channels('subscribe') }, 'capable:a');
      expect(await client.next()).toMatchObject({ type: 'presence', data: { event: 'join' } });
      await refresh(client, { sub: 'cid', ...channels('subscribe') });
      expect(await client.next()).toEqual(unsubscribed('capable:a', 'presence'));
      expect((await client.next()).type).toBe('auth_refresh_reply');
      await other.request('unsubscribe', { channel: 'capable:a' });
      await publish('capable:a', 'still here');
      expect(await client.next()).toMatchObject({ type: 'message', data: 'still here' });
      await refresh(client, { sub: 'cid' });
      expect(await client.next()).toEqual(unsubscribed('capable:a'));
      expect((await client.next()).type).toBe('auth_refresh_reply');
    });

    it('are none where the fresh token says the same: nothing is asked again', async () => {
      const hook = server.app.get(ClubHook, { strict: false });
      await using client = await follower({ sub: 'eve', roles: ['MEMBER'] }, 'club:a');
      const { asked } = hook;
      await refresh(client, { sub: 'eve', roles: ['MEMBER'], jti: 'another' });
      expect((await client.next()).type).toBe('auth_refresh_reply');
      expect(hook.asked).toBe(asked);
    });

    it('are what a hook says they are, and a hook that breaks keeps nobody in', async () => {
      const earlier = await Scrape.of(server);
      await using client = await follower({ sub: 'fay', roles: ['MEMBER'] }, 'club:a', 'club:open', 'open:c');
      await refresh(client, { sub: 'fay' });
      expect(await client.next()).toEqual(unsubscribed('club:a', 'channel', 'Members only'));
      expect((await client.next()).type).toBe('auth_refresh_reply');
      await refresh(client, { sub: 'fay', roles: ['BREAKS'] });
      expect(await client.next()).toMatchObject({ channel: 'club:open', data: { code: 'INTERNAL_ERROR' } });
      expect((await client.next()).type).toBe('auth_refresh_reply');
      await publish('open:c', 1);
      expect(await client.next()).toMatchObject({ type: 'message', channel: 'open:c' });
      expect(server.logLines.some(({ msg, where }) => msg === 'hook failed' && /hook/.test(String(where)))).toBe(true);
      const later = await Scrape.of(server);
      expect(later.since(earlier, 'gatehouse_subscriptions_dropped_total{lost="channel"}')).toBe(2);
    });

    it('do not end what the application has subscribed by itself', async () => {
      await using client = await connect(server.url, { claims: staff('gus') });
      await client.request('staff.follow', 'staff:c');
      await refresh(client, { sub: 'gus' });
      expect((await client.next()).type).toBe('auth_refresh_reply');
      await publish('staff:c', 'by your leave');
      expect(await client.next()).toMatchObject({ channel: 'staff:c', data: 'by your leave' });
    });
  });

  describe('changed by an operator', () => {
    it('bite at once: guards, and exactly the subscriptions that they allow no more', async () => {
      await using one = await follower(staff('hal'), 'staff:d', 'open:d');
      await using two = await follower(staff('hal'), 'staff:e');
      await using neighbour = await follower(staff('ida'), 'staff:d');
      expect(await one.request('staff.only')).toMatchObject({ data: 'yes' });
      expect(await change('hal', { roles: [], reason: 'Left the team' })).toMatchObject({
        status: 200,
        body: { sessions: 2, dropped: 2, missing: [], rights: { userId: 'hal', roles: [], reason: 'Left the team' } },
      });
      expect(await one.next()).toEqual(unsubscribed('staff:d'));
      expect(await two.next()).toEqual(unsubscribed('staff:e'));
      expect(await one.request('staff.only')).toMatchObject({ code: 'FORBIDDEN' });
      expect(await one.request('hello')).toMatchObject({ data: { roles: [] } });
      await publish('open:d', 1);
      expect(await one.next()).toMatchObject({ channel: 'open:d', seq: 1 });
      expect(await neighbour.request('staff.only')).toMatchObject({ data: 'yes' });
    });

    it('bind new sessions and refreshes with tokens from before, until one comes that was issued later', async () => {
      await using client = await connect(server.url, { claims: staff('jim', { iat: seconds(-60) }) });
      await change('jim', { roles: ['MEMBER'], channels: { 'capable:*': ['subscribe'] } });
      await using late = await connect(server.url, { claims: staff('jim', { iat: seconds(-60) }) });
      expect(await late.request('hello')).toMatchObject({ data: { roles: ['MEMBER'] } });
      expect(await late.request('subscribe', { channel: 'capable:x' })).toMatchObject({ type: 'subscribe_reply' });
      await refresh(client, staff('jim', { iat: seconds(-30) }));
      expect((await client.next()).type).toBe('auth_refresh_reply');
      expect(await client.request('hello')).toMatchObject({ data: { roles: ['MEMBER'] } });
      await refresh(client, staff('jim', { iat: seconds(2) }));
      expect((await client.next()).type).toBe('auth_refresh_reply');
      expect(await client.request('hello')).toMatchObject({ data: { roles: ['STAFF'] } });
    });

    it('are those of the later of two changes, also if both are made in one millisecond', async () => {
      using _ = new StoppedClock();
      await using client = await connect(server.url, { claims: staff('kay', { iat: seconds(-60) }) });
      const orders = server.app.get(RevocationOrders, { strict: false });
      const now = Date.now();
      await Promise.all(['FIRST', 'SECOND'].map((role) => orders.changeRights('kay', { roles: [role] })));
      const order = server.app.get(Revocations, { strict: false }).get('rights', 'kay');
      expect(order).toMatchObject({ roles: ['SECOND'], issuedBefore: now + 1 });
      expect(await client.request('hello')).toMatchObject({ data: { roles: ['SECOND'] } });
      await change('kay', { roles: ['THIRD'] }, mintToken({ sub: 'root', roles: ['ADMIN'] }));
      await using late = await connect(server.url, { claims: staff('kay', { iat: seconds(-60) }) });
      for (const one of [client, late])
        expect(await one.request('hello')).toMatchObject({ data: { roles: ['THIRD'] } });
    });

    it('are listed, and what the tokens say is back at once when they are restored', async () => {
      await using client = await connect(server.url, { claims: staff('kim') });
      const { body } = await change('kim', { roles: ['MEMBER'] });
      const { rights } = (await api(server, 'GET /api/rights')).body as { rights: { userId: string }[] };
      expect(rights.find(({ userId }) => userId === 'kim')).toEqual((body as { rights: object }).rights);
      expect((await api(server, 'DELETE /api/users/kim/rights')).status).toBe(204);
      expect(await client.request('hello')).toMatchObject({ data: { roles: ['STAFF'] } });
      expect((await api(server, 'DELETE /api/users/kim/rights')).status).toBe(404);
    });

    it('hold for a caller of the server API', async () => {
      const token = mintToken({ sub: 'lea', roles: ['ADMIN'], iat: seconds(-60) });
      expect((await api(server, 'GET /api/nodes', { token })).status).toBe(200);
      // Only an administrator may change another one.
      const { status } = await change('lea', { roles: ['MEMBER'] }, mintToken({ sub: 'root', roles: ['ADMIN'] }));
      expect(status).toBe(200);
      expect((await api(server, 'GET /api/nodes', { token })).status).toBe(403);
    });

    it('hold for a subscribe that was under way', async () => {
      const hook = server.app.get(ClubHook, { strict: false });
      await using client = await connect(server.url, { claims: { sub: 'max', roles: ['MEMBER'] } });
      const door = gate();
      hook.door = door.opened;
      const { asked } = hook;
      client.send({ type: 'subscribe', id: 1, data: { channel: 'club:a' } });
      await expect.poll(() => hook.asked).toBe(asked + 1);
      expect(await change('max', { roles: ['GUEST'] })).toMatchObject({ body: { sessions: 1, dropped: 0 } });
      hook.door = undefined;
      door.open();
      expect(await client.next()).toMatchObject({ type: 'error', id: 1, message: 'Members only' });
      expect(await client.request('unsubscribe', { channel: 'club:a' })).toMatchObject({ code: 'NOT_SUBSCRIBED' });
    });

    it.each(
      Object.entries({
        'no roles': {},
        'roles that are no list': { roles: 'ADMIN' },
        'a role without a name': { roles: [''] },
        '65 roles': { roles: Array(65).fill('R') },
        'a capability that is none': { roles: [], channels: { 'room:*': ['own'] } },
        'channels that are no map': { roles: [], channels: [] },
        'more channels than fit into a token': { roles: [], channels: { 'room:*': Array(1_000).fill('history') } },
        'a time that is over': { roles: [], until: 1 },
      }),
    )('are refused where they are none: %s', async (_what, body) => {
      expect((await change('nobody', body)).status).toBe(422);
    });
  });
});
