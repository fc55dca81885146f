import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { StoppedClock } from '../../src/testing/stopped-clock.js';
import { TestClient } from '../../src/testing/test-client.js';
import { TestDynamo } from '../support/dynamodb.js';
import { gate } from '../support/gate.js';
import { namespacesFile } from '../support/namespaces-file.js';
import { startFunction, type TestFunction } from '../support/serverless-server.js';
import { mintToken } from '../support/test-server.js';

interface Answer {
  readonly seq?: number;
}

type Body = Readonly<Record<string, unknown>>;
const itemOf = ({ Item }: Body): Readonly<Record<string, { readonly N?: string }>> => (Item ?? {}) as never;
const isPublication = (body: Body): boolean => itemOf(body).draft !== undefined;
const isAnswer = (body: Body): boolean => itemOf(body).answer !== undefined;
/** Of a place in a history, not of a position or a key. */
const isPlace = ({ Key }: Body): boolean => ((Key as { seq?: { N?: string } } | undefined)?.seq?.N ?? '0') !== '0';

describe('a publish with an idempotency key, whatever DynamoDB does', () => {
  let dynamo: TestDynamo;
  let fn: TestFunction;
  let alice: TestClient;
  let channels = 0;
  beforeAll(async () => {
    dynamo = await TestDynamo.start();
    fn = await startFunction({ dynamo });
    alice = await TestClient.connect(fn.url, mintToken({}));
  });
  afterEach(() => {
    dynamo.fault = undefined;
  });
  afterAll(async () => {
    await alice[Symbol.asyncDispose]();
    await fn[Symbol.asyncDispose]();
    await dynamo[Symbol.asyncDispose]();
  });

  const channelOf = async (namespace: string): Promise<string> => {
    const channel = `${namespace}:${(channels += 1)}`;
    await alice.request('subscribe', { channel });
    return channel;
  };
  const publish = (channel: string, data: unknown = 'once'): Promise<Answer> =>
    alice.request<Answer>('publish', { channel, data, idempotencyKey: 'key' });
  const kept = async (channel: string): Promise<readonly unknown[]> => {
    const { publications } = await alice.request<{ publications: Answer[] }>('history', { channel });
    return publications.map(({ seq }) => seq);
  };
  const busy = { code: 'SERVER_BUSY' };

  it('is carried out by the repetition if the publication could not be written, and by no other', async () => {
    const channel = await channelOf('room');
    dynamo.fault = (_operation, body) => (isPublication(body) ? 'throttle' : undefined);
    await expect(publish(channel)).rejects.toMatchObject(busy);
    dynamo.fault = undefined;
    // The first one might still be writing.
    await expect(publish(channel)).rejects.toMatchObject(busy);
    using clock = new StoppedClock();
    clock.pass(6_000);
    expect(await publish(channel)).toMatchObject({ seq: 2 });
    expect(await publish(channel)).toMatchObject({ seq: 2 });
    expect(await kept(channel)).toEqual([2]);
    expect(await alice.next('message')).toMatchObject({ channel, seq: 2 });
  });

  it('is carried out if the answer to the write is lost, and the repetition gets its position', async () => {
    const channel = await channelOf('room');
    dynamo.fault = (_operation, body) => (isPublication(body) ? 'lose' : undefined);
    expect(await publish(channel)).toMatchObject({ seq: 1 });
    expect(await alice.next('message')).toMatchObject({ channel, seq: 1 });
    expect(await publish(channel)).toMatchObject({ seq: 1 });
    expect(await kept(channel)).toEqual([1]);
  });

  it('is SERVER_BUSY if nobody knows whether it was written; the repetition finds out', async () => {
    const channel = await channelOf('room');
    dynamo.fault = (operation, body) => {
      if (isPublication(body)) return 'lose';
      return operation === 'GetItem' && isPlace(body) ? 'throttle' : undefined;
    };
    await expect(publish(channel)).rejects.toMatchObject(busy);
    dynamo.fault = undefined;
    using clock = new StoppedClock();
    clock.pass(31_000);
    expect(await publish(channel)).toMatchObject({ seq: 1 });
    expect(await kept(channel)).toEqual([1]);
  });

  it('is never carried out late: a repetition closes the position of an invocation that hangs', async () => {
    const channel = await channelOf('room');
    await using bob = await TestClient.connect(fn.url, mintToken({}));
    await bob.request('subscribe', { channel });
    const hung = gate();
    const going = gate();
    dynamo.fault = async (_operation, body) => {
      if (!isPublication(body) || itemOf(body).seq?.N !== '1') return undefined;
      going.open();
      await hung.opened;
      return undefined;
    };
    const first = bob.request('publish', { channel, data: 'once', idempotencyKey: 'key' });
    const late = first.catch((error: unknown) => error);
    await going.opened;
    await expect(publish(channel)).rejects.toMatchObject(busy);
    using clock = new StoppedClock();
    clock.pass(6_000);
    expect(await publish(channel)).toMatchObject({ seq: 2 });
    hung.open();
    expect(await late).toMatchObject(busy);
    expect(await alice.next('message')).toMatchObject({ channel, seq: 2 });
    expect(await publish(channel)).toMatchObject({ seq: 2 });
    expect(await kept(channel)).toEqual([2]);
  });

  it('is carried out once if the SDK sends the claim of the key twice', async () => {
    dynamo.tries = 3;
    await using other = await startFunction({ dynamo });
    dynamo.tries = 1;
    await using client = await TestClient.connect(other.url, mintToken({}));
    for (const channel of ['room:twice', 'telemetry:twice']) {
      await client.request('subscribe', { channel });
      let lost = 0;
      dynamo.fault = (operation, { Key }) => {
        const isClaim = operation === 'UpdateItem' && JSON.stringify(Key).includes('@answer:');
        return isClaim && (lost += 1) === 1 ? 'lose' : undefined;
      };
      expect(await client.request('publish', { channel, data: 1, idempotencyKey: 'key' })).toMatchObject({ channel });
      expect(lost).toBe(2);
      expect(await client.next('message')).toMatchObject({ channel, data: 1 });
    }
  });

  it('is known for five minutes, also in a channel that keeps its publications for a shorter time', async () => {
    using namespaces = namespacesFile({
      brief: 'subscribe: signed_in, publish: signed_in, history: { size: 10, age: 1s }',
    });
    await using other = await startFunction({ dynamo, environment: namespaces.environment });
    await using client = await TestClient.connect(other.url, mintToken({}));
    let lifeMs = 0;
    dynamo.fault = (_operation, body) => {
      if (isPublication(body)) lifeMs = Number(itemOf(body).expiresAt?.N) * 1_000 - Date.now();
      return undefined;
    };
    await client.request('publish', { channel: 'brief:a', data: 1, idempotencyKey: 'key' });
    expect(lifeMs).toBeGreaterThan(300_000);
  });

  it('is told as done in a channel without a history if only the answer cannot be kept, and not done again', async () => {
    const channel = await channelOf('telemetry');
    dynamo.fault = (_operation, body) => (isAnswer(body) ? 'throttle' : undefined);
    expect(await publish(channel)).toEqual({ channel });
    dynamo.fault = undefined;
    expect(await alice.next('message')).toMatchObject({ channel });
    await fn.counted('answer_lost', 1);
    using clock = new StoppedClock();
    clock.pass(31_000);
    await expect(publish(channel, 'again')).rejects.toMatchObject(busy);
    await alice.request('publish', { channel, data: 'another' });
    expect(await alice.next('message')).toMatchObject({ data: 'another' });
  });
});
