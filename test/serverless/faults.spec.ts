import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { memberKey } from '../../src/serverless/connections/subscriptions-table.js';
import { TestClient } from '../../src/testing/test-client.js';
import { TestDynamo } from '../support/dynamodb.js';
import { eventually } from '../support/eventually.js';
import { startFunction, type TestFunction } from '../support/serverless-server.js';
import { mintToken } from '../support/test-server.js';

const join = (fn: TestFunction, claims: Record<string, unknown> = {}): Promise<TestClient> =>
  TestClient.connect(fn.url, mintToken(claims));

describe('a function whose services fail', () => {
  let dynamo: TestDynamo;
  let fn: TestFunction;
  beforeAll(async () => {
    dynamo = await TestDynamo.start();
  });
  beforeEach(async () => {
    dynamo.fault = undefined;
    fn = await startFunction({ dynamo });
    return () => fn[Symbol.asyncDispose]();
  });
  afterAll(() => dynamo[Symbol.asyncDispose]());

  it('delivers to the half that is there, and deletes the rows of the half that is gone', async () => {
    const channel = 'room:half';
    const clients = await Promise.all(Array.from({ length: 10 }, (_, index) => join(fn, { sub: `user-${index}` })));
    for (const client of clients) await client.request('subscribe', { channel });
    const sessions = await Promise.all(clients.map((client) => client.request<{ sessionId: string }>('hello')));
    const deaf = sessions.slice(5).map(({ sessionId }) => sessionId);
    for (const id of deaf) fn.gateway.deaf.add(id);

    await clients[0]?.request('publish', { channel, data: 'to all' });
    for (const client of clients.slice(0, 5)) expect((await client.next('message')).data).toBe('to all');
    await fn.counted('gone', 5);
    expect(fn.outcome('post_lost')).toBe(0);
    const { count } = (await clients[0]?.request<{ count: number }>('presence', { channel })) ?? {};
    expect(count).toBe(5);
    expect(await dynamo.countRows(fn.tables.connections)).toBe(5);
    await Promise.all(clients.map((client) => client[Symbol.asyncDispose]()));
  });

  it('asks DynamoDB again if it does not answer, and tells the client if it never does', async () => {
    dynamo.tries = 2;
    await using slow = await startFunction({ dynamo, answerMs: 500 });
    dynamo.tries = 1;
    await using alice = await join(slow);
    let hangs = 1;
    const never = new Promise<undefined>(() => {});
    dynamo.fault = (_operation, { TableName }) => {
      if (TableName !== slow.tables.channels || hangs === 0) return undefined;
      hangs -= 1;
      return never;
    };
    expect(await alice.request('history', { channel: 'room:slow' })).toMatchObject({ publications: [] });
    expect(hangs).toBe(0);
    hangs = Infinity;
    await expect(alice.request('history', { channel: 'room:slow' })).rejects.toMatchObject({ code: 'SERVER_BUSY' });
    dynamo.fault = undefined;
    await slow.counted('table_busy', 1);
  });

  it('posts again if API Gateway does not answer, and gives a frame up after three times', async () => {
    await using slow = await startFunction({ dynamo, answerMs: 500 });
    await using alice = await join(slow);
    await alice.request('hello');
    slow.gateway.unanswered = 1;
    expect(await alice.request('echo', 'once more')).toBe('once more');
    await slow.counted('post_unanswered', 1);
    slow.gateway.unanswered = 3;
    // Its reply never comes.
    void alice.request('echo', 'lost').catch(() => undefined);
    await slow.counted('post_lost', 1);
    expect(slow.outcome('post_unanswered')).toBe(4);
    expect(slow.outcome('post_throttled')).toBe(0);
  });

  it('forgets a subscription whose connection was gone before it was written', async () => {
    await using alice = await join(fn);
    const channel = 'room:orphan';
    await alice.request('subscribe', { channel });
    const orphan = { connectionId: 'gone=', userId: 'ghost' };
    const row = { channel, member: memberKey(orphan), connectionId: 'gone=', user: 'ghost', expiresAt: 9_999_999_999 };
    await dynamo.putRow(fn.tables.subscriptions, row);
    await alice.request('publish', { channel, data: 1 });
    await alice.next('message');
    await eventually('the row is gone', async () => (await dynamo.countRows(fn.tables.subscriptions)) === 1);
  });

  it('reads its tables consistently: whoever has subscribed gets what is published next', async () => {
    const channel = 'room:fresh';
    const indexed: unknown[] = [];
    dynamo.fault = (operation, { ConsistentRead, IndexName }) => {
      if (!['Query', 'GetItem', 'BatchGetItem'].includes(operation) || ConsistentRead === true) return undefined;
      indexed.push(IndexName);
      return IndexName === undefined ? 'stale' : undefined;
    };
    await using alice = await join(fn);
    await using bob = await join(fn, { sub: 'bob' });
    const { epoch } = await alice.request<{ epoch: string }>('subscribe', { channel, presence: true });
    await bob.request('subscribe', { channel });
    expect(await alice.next('presence')).toMatchObject({ data: { event: 'join' } });
    await bob.request('publish', { channel, data: 1, idempotencyKey: 'a' });
    expect((await alice.next('message')).data).toBe(1);
    expect(await alice.request('presence', { channel })).toMatchObject({ count: 2 });
    expect(await alice.request('history', { channel, since: { epoch, seq: 0 } })).toMatchObject({
      publications: [{ data: 1 }],
    });
    await alice.request('send_message', { targetUserId: 'bob', message: 1 });
    await alice.request('broadcast', { text: 'all' });
    await bob.next('broadcast');
    // An index cannot be read so: docs/serverless.md says what that means.
    expect(new Set(indexed)).toEqual(new Set(['byUser', 'byShard']));
  });

  it('counts receivers that it could not read, and answers the publish', async () => {
    const channel = 'room:cut';
    await using alice = await join(fn);
    await alice.request('subscribe', { channel });
    dynamo.fault = (operation, { TableName }) =>
      operation === 'Query' && TableName === fn.tables.subscriptions ? 'throttle' : undefined;
    expect(await alice.request('publish', { channel, data: 1 })).toMatchObject({ seq: 1 });
    await fn.counted('delivery_cut', 1);
    dynamo.fault = undefined;
    expect(fn.outcome('failed')).toBe(0);
    await alice.request('publish', { channel, data: 2 });
    expect(await alice.next('message')).toMatchObject({ seq: 2 });
  });

  it('ends a subscription although it cannot tell others of it, and counts that', async () => {
    const channel = 'room:untold';
    await using alice = await join(fn);
    await alice.request('subscribe', { channel });
    dynamo.fault = (operation) => (operation === 'Query' ? 'throttle' : undefined);
    expect(await alice.request('unsubscribe', { channel })).toEqual({ channel });
    await fn.counted('leave_untold', 1);
  });

  it('tells of every leave of a user who comes and goes quickly', async () => {
    const channel = 'room:flap';
    await using alice = await join(fn);
    await using bob = await join(fn, { sub: 'bob' });
    await alice.request('subscribe', { channel, presence: true });
    for (let round = 0; round < 4; round += 1) {
      await bob.request('subscribe', { channel });
      expect(await alice.next('presence')).toMatchObject({ data: { event: 'join' } });
      await bob.request('unsubscribe', { channel });
      expect(await alice.next('presence')).toMatchObject({ data: { event: 'leave' } });
    }
  });

  it('counts a connection that API Gateway does not close', async () => {
    await using client = await join(fn, { exp: Math.floor(Date.now() / 1_000) + 3 });
    const [connectionId = ''] = fn.gateway.connectionIds;
    await dynamo.change(fn.tables.connections, { connectionId }, 'principal', { expiresAt: Date.now() - 60_000 });
    fn.gateway.throttled = 8;
    client.send({ type: 'echo', id: 'late' });
    await fn.counted('close_lost', 1);
    await fn.counted('expired_token', 1);
  });

  it('answers INTERNAL_ERROR or 500 to what it does not expect, counts it, and logs it as an error', async () => {
    await using client = await join(fn);
    dynamo.fault = () => 'refuse';
    await expect(client.request('echo', 1)).rejects.toMatchObject({ code: 'INTERNAL_ERROR' });
    await expect(join(fn, { sub: 'bob' })).rejects.toThrow('500');
    await fn.counted('failed', 2);
    dynamo.fault = undefined;
    expect(await client.request('echo', 1)).toBe(1);
    const failures = fn.logLines.filter(({ msg }) => msg === 'event failed');
    expect(failures.map(({ level, where }) => [level, where])).toEqual([
      ['error', 'the row of a connection'],
      ['error', 'an event'],
    ]);
  });

  it('answers SERVER_BUSY while DynamoDB cannot be reached', async () => {
    const gone = await startFunction({ dynamo });
    await using client = await join(gone);
    dynamo.fault = () => 'break';
    await expect(client.request('echo', 1)).rejects.toMatchObject({ code: 'SERVER_BUSY' });
    await gone.counted('table_busy', 1);
    dynamo.fault = undefined;
    expect(await client.request('echo', 1)).toBe(1);
    expect(gone.outcome('failed')).toBe(0);
    await client[Symbol.asyncDispose]();
    await gone[Symbol.asyncDispose]();
  });

  it('waits and posts again while API Gateway refuses posts for their rate', async () => {
    await using client = await join(fn);
    fn.gateway.throttled = 3;
    expect(await client.request('echo', 'late')).toBe('late');
    await fn.counted('post_throttled', 3);
    expect(fn.waits).toHaveLength(3);
    expect(fn.outcome('post_lost')).toBe(0);
  });

  it('gives a post up at last, counts it, and stays connected', async () => {
    await using client = await join(fn);
    fn.gateway.throttled = 8;
    client.send({ type: 'echo', id: 'lost' });
    await fn.counted('post_lost', 1);
    expect(Math.max(...fn.waits)).toBeLessThanOrEqual(2_000);
    expect(await client.request('echo', 'heard')).toBe('heard');
  });

  it('answers SERVER_BUSY while DynamoDB refuses calls for their rate, and goes on afterwards', async () => {
    await using client = await join(fn);
    dynamo.fault = (operation) => (operation === 'GetItem' ? 'throttle' : undefined);
    await expect(client.request('echo', 1)).rejects.toMatchObject({ code: 'SERVER_BUSY' });
    await fn.counted('table_busy', 1);
    dynamo.fault = undefined;
    expect(await client.request('echo', 1)).toBe(1);
  });

  it('refuses a client with 503 if its row cannot be written', async () => {
    dynamo.fault = () => 'throttle';
    await expect(join(fn)).rejects.toThrow('503');
    dynamo.fault = undefined;
    await using client = await join(fn);
    expect(await client.request('echo', 1)).toBe(1);
  });

  it('answers SERVER_BUSY to a publish that could not be written, and tells of the gap', async () => {
    const channel = 'room:hole';
    await using alice = await join(fn);
    const { epoch } = await alice.request<{ epoch: string }>('subscribe', { channel });
    await alice.request('publish', { channel, data: 1 });
    const isPublication = (body: Record<string, unknown>): boolean =>
      (body.Item as Record<string, unknown> | undefined)?.draft !== undefined;
    dynamo.fault = (_operation, body) => (isPublication(body) ? 'throttle' : undefined);
    await expect(alice.request('publish', { channel, data: 2 })).rejects.toMatchObject({ code: 'SERVER_BUSY' });
    dynamo.fault = undefined;
    expect(await alice.request('publish', { channel, data: 3 })).toMatchObject({ seq: 3 });
    await using bob = await join(fn, { sub: 'bob' });
    expect(await bob.request('subscribe', { channel, since: { epoch, seq: 0 } })).toMatchObject({
      recovered: false,
      gap: { from: 2, to: 2 },
      publications: [{ data: 1 }, { data: 3 }],
    });
  });

  it('rolls a subscribe back that could not be written', async () => {
    const channel = 'room:rolled';
    await using alice = await join(fn);
    const isRow = (body: Record<string, unknown>): boolean =>
      body.TableName === fn.tables.subscriptions && body.Item !== undefined;
    dynamo.fault = (_operation, body) => (isRow(body) ? 'throttle' : undefined);
    await expect(alice.request('subscribe', { channel })).rejects.toMatchObject({ code: 'SERVER_BUSY' });
    dynamo.fault = undefined;
    await expect(alice.request('publish', { channel, data: 1 })).rejects.toMatchObject({ code: 'NOT_SUBSCRIBED' });
    expect(await alice.request('subscribe', { channel })).toMatchObject({ channel });
  });

  it('deletes again what a batch has left undone', async () => {
    await using alice = await join(fn);
    for (let index = 0; index < 26; index += 1) await alice.request('subscribe', { channel: `room:${index}` });
    let partial = 3;
    dynamo.fault = (operation) => (operation === 'BatchWriteItem' && partial-- > 0 ? 'in part' : undefined);
    await alice[Symbol.asyncDispose]();
    await eventually('no row is left', async () => (await dynamo.countRows(fn.tables.subscriptions)) === 0);
    await fn.gateway.idle();
    expect(fn.outcome('rows_left')).toBe(0);
  });

  it('counts the rows of a batch that DynamoDB never carries out as a whole, and deletes the next batch', async () => {
    await using alice = await join(fn);
    for (let index = 0; index < 26; index += 1) await alice.request('subscribe', { channel: `telemetry:${index}` });
    let batches = 0;
    dynamo.fault = (operation, { RequestItems }) => {
      if (operation !== 'BatchWriteItem') return undefined;
      const [items = []] = Object.values(RequestItems as Record<string, unknown[]>);
      batches += 1;
      return items.length === 25 || batches === 1 ? 'throttle' : undefined;
    };
    await alice[Symbol.asyncDispose]();
    await fn.counted('rows_left', 25);
    expect(await dynamo.countRows(fn.tables.subscriptions)).toBe(25);
  });

  it('leaves rows that cannot be deleted to their time to live, and counts them', async () => {
    await using alice = await join(fn);
    await alice.request('subscribe', { channel: 'telemetry:a' });
    dynamo.fault = (operation) => (operation === 'BatchWriteItem' ? 'throttle' : undefined);
    await alice[Symbol.asyncDispose]();
    await fn.counted('rows_left', 1);
  });

  it('serves more than 200 receivers by invocations of its own', async () => {
    const channel = 'room:many';
    await using alice = await join(fn);
    await alice.request('subscribe', { channel });
    await addSilent(fn, channel, 450);
    const { posts } = fn.gateway;
    await alice.request('publish', { channel, data: 1 });
    await alice.next('message');
    await eventually('everybody has it', () => fn.gateway.posts === posts + 452);
    expect(fn.gateway.handedOver).toBe(2);
  });

  it('serves them itself if the function cannot be invoked', async () => {
    const channel = 'room:alone';
    await using alice = await join(fn);
    await alice.request('subscribe', { channel });
    await addSilent(fn, channel, 210);
    const { posts } = fn.gateway;
    fn.gateway.takesInvocations = false;
    await alice.request('publish', { channel, data: 1 });
    await eventually('everybody has it', () => fn.gateway.posts === posts + 212);
    await fn.counted('hand_over_failed', 11);
  });
});

async function addSilent({ dynamo, gateway, tables }: TestFunction, channel: string, count: number): Promise<void> {
  const members = Array.from({ length: count }, (_, index) => ({
    connectionId: `silent-${index}`,
    userId: `u${index}`,
  }));
  for (const { connectionId } of members) gateway.addSilent(connectionId);
  const rows = members.map((member) => {
    const { connectionId, userId: user } = member;
    return { channel, member: memberKey(member), connectionId, user, expiresAt: 9_999_999_999 };
  });
  await dynamo.putRows(tables.subscriptions, rows);
}
