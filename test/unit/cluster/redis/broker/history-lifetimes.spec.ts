import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ChannelName } from '../../../../../src/cluster/ports/broker.js';
import { RedisBroker } from '../../../../../src/cluster/redis/broker/redis-broker.js';
import type { RedisLink } from '../../../../../src/cluster/redis/connection/redis-link.js';
import { RedisServer } from '../../../../support/redis-server.js';
import { draft } from '../../broker-bench.js';
import { RedisLinks } from '../../redis-links.js';

const AGE_MS = 3_600_000;
const KEPT = { history: { size: 100, ageMs: AGE_MS }, idempotencyKey: undefined };

describe('a history in Redis is tidied by one publication in 16, so that', { tags: ['redis'] }, () => {
  const links = new RedisLinks();
  let redis: RedisServer;
  let link: RedisLink;
  let broker: RedisBroker;
  let channels = 0;
  beforeAll(async () => {
    redis = await RedisServer.start();
    link = await links.open(redis.url);
    broker = new RedisBroker(link);
  });
  afterAll(async () => {
    await broker.close();
    links.close();
    await redis[Symbol.asyncDispose]();
  });

  function channel() {
    const name = `log:${(channels += 1)}` as ChannelName;
    const [meta, log] = [link.key(name, 'meta'), link.key(name, 'log')];
    return {
      publish: (data: unknown) => broker.publish(name, draft(data), KEPT),
      history: async () => (await broker.history(name, {})).publications.map(({ data }) => data),
      meta: () => link.client.pttl(meta),
      log: () => link.client.pttl(log),
      entries: () => link.client.xlen(log),
      /** As if the last publication that tidied was so long ago. */
      pass: async (ms: number) => {
        await link.client.hset(meta, 'tidied', Date.now() - ms);
        await link.client.pexpire(meta, AGE_MS + AGE_MS / 16 - ms);
      },
      /** The only entry becomes older than the age of the history. */
      makeOld: async (seq: number) => {
        await link.client.del(log);
        await link.client.xadd(log, `${seq}-0`, 't', Date.now() - AGE_MS - 1, 'p', 'old');
      },
    };
  }

  it('its position never goes before its publications', async () => {
    const { publish, meta, log, pass } = channel();
    await publish(1);
    for (const passed of [0, AGE_MS / 32, AGE_MS / 16 - 1_000, AGE_MS / 16, AGE_MS]) {
      await pass(passed);
      await publish(passed);
      expect(await log()).toBeGreaterThan(AGE_MS - 60_000);
      expect(await meta()).toBeGreaterThanOrEqual(await log());
    }
  });

  it('neither does it for one that reads', async () => {
    const { publish, history, meta, pass } = channel();
    await publish(1);
    await pass(0);
    await history();
    expect(await meta()).toBeGreaterThan(AGE_MS + AGE_MS / 32);
  });

  it('what is too old goes with the 16th publication', async () => {
    const { publish, entries, makeOld } = channel();
    await publish(1);
    await makeOld(1);
    for (let seq = 2; seq <= 15; seq += 1) await publish(seq);
    expect(await entries()).toBe(15);
    await publish(16);
    expect(await entries()).toBe(15);
  });

  it('or with the next one after a pause', async () => {
    const { publish, entries, makeOld, pass } = channel();
    await publish(1);
    await makeOld(1);
    await pass(AGE_MS / 16);
    await publish(2);
    expect(await entries()).toBe(1);
  });

  it('and is never read', async () => {
    const { publish, history, makeOld } = channel();
    await publish(1);
    await makeOld(1);
    await publish(2);
    expect(await history()).toEqual([2]);
  });
});
