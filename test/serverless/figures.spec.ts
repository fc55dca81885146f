import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { memberKey } from '../../src/serverless/connections/subscriptions-table.js';
import { TestClient } from '../../src/testing/test-client.js';
import { TestDynamo } from '../support/dynamodb.js';
import { eventually } from '../support/eventually.js';
import { startFunction } from '../support/serverless-server.js';
import { mintToken } from '../support/test-server.js';

/** One more number of receivers, such as 10,000, which takes half a minute. docs/serverless.md has its figures. */
const { SERVERLESS_RECEIVERS: more } = process.env;
const RECEIVERS = [1, 100, 450, ...(more === undefined ? [] : [Number(more)])];

/** Calls and capacity of one publication, as docs/serverless.md states them. */
describe('one publication of 100 bytes costs', () => {
  let dynamo: TestDynamo;
  beforeAll(async () => {
    dynamo = await TestDynamo.start();
  });
  afterAll(() => dynamo[Symbol.asyncDispose]());

  it.each(RECEIVERS)('for %i receivers, what the document says', async (receivers) => {
    await using fn = await startFunction({ dynamo });
    await using alice = await TestClient.connect(fn.url, mintToken({ sub: 'alice' }));
    const channel = 'room:figures';
    await alice.request('subscribe', { channel });
    const rows = Array.from({ length: receivers - 1 }, (_, index) => {
      const member = { connectionId: `${String(index).padStart(15, '0')}=`, userId: `user-${index}` };
      fn.gateway.addSilent(member.connectionId);
      return { channel, member: memberKey(member), ...member, user: member.userId, expiresAt: 9_999_999_999 };
    });
    await dynamo.putRows(fn.tables.subscriptions, rows);
    await fn.gateway.idle();
    const before = { posts: fn.gateway.posts, invocations: fn.gateway.invocations };
    dynamo.reset();
    await alice.request('publish', { channel, data: 'x'.repeat(100) });
    await eventually('everybody has it', () => fn.gateway.posts === before.posts + receivers + 1);
    await fn.gateway.idle();

    const { reads, writes } = dynamo.consumed;
    const invocations = fn.gateway.invocations - before.invocations;
    if (more !== undefined) process.stdout.write(`${JSON.stringify({ receivers, reads, writes, invocations })}\n`);
    expect(invocations).toBe(1 + Math.max(0, Math.ceil((receivers - 200) / 200)));
    expect(writes).toBe(2);
    // The row of the connection, and one unit for each 4 KB of rows of subscribers.
    expect(reads).toBeGreaterThanOrEqual(2);
    expect(reads).toBeLessThanOrEqual(2 + receivers * 0.05);
  });
});
