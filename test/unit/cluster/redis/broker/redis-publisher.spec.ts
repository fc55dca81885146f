import { expect, it, onTestFinished } from 'vitest';
import type { Acknowledgements } from '../../../../../src/cluster/redis/broker/acknowledgements.js';
import { RedisPublisher } from '../../../../../src/cluster/redis/broker/redis-publisher.js';
import type { RedisLink } from '../../../../../src/cluster/redis/connection/redis-link.js';
import type { ChannelName } from '../../../../../src/cluster/ports/broker.js';

const MEBIBYTE = Buffer.alloc(1_048_576);

it('refuses everything after the first publication that it refuses, so that a small one overtakes no large one', async () => {
  const silent = { run: () => new Promise(() => {}) } as unknown as RedisLink;
  const publisher = new RedisPublisher(silent, {} as Acknowledgements);
  onTestFinished(() => publisher.close());
  const publish = async (body: Buffer): Promise<void> => {
    const given = publisher.publish('room:a' as ChannelName, {
      body,
      options: { history: undefined, idempotencyKey: undefined },
    });
    // What is refused is refused at once.
    await Promise.race([given, Promise.resolve().then(() => Promise.resolve())]);
    given.catch(() => undefined);
  };
  for (let n = 0; n < 63; n += 1) await publish(MEBIBYTE);
  await publish(MEBIBYTE.subarray(1));
  await expect(publish(MEBIBYTE)).resolves.toBeUndefined();
  await expect(publish(Buffer.alloc(1))).rejects.toMatchObject({ code: 'SERVER_BUSY' });
});
