import { describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { namespacesFile } from '../support/namespaces-file.js';
import { StateClient } from '../support/state-client.js';
import { TestNodes } from '../support/test-nodes.js';

const OPTIONS =
  'subscribe: anyone, publish: anyone, history: { size: 100, age: 1m }, state: { tick: 5ms, own_key: none }';
const CHANNEL = 'twin:x';

describe('a state channel over several nodes', { tags: ['redis'] }, () => {
  it('has one state, whoever changes it where; and begins again on all nodes if Redis loses it', async () => {
    using file = namespacesFile({ twin: OPTIONS });
    await using nodes = await TestNodes.start(['a', 'b'], { ...file.environment, MESSAGE_RATE: '0' });
    await using ann = await StateClient.connect(nodes.at(0).url, CHANNEL, { sub: 'ann' });
    await using bob = await StateClient.connect(nodes.at(1).url, CHANNEL, { sub: 'bob' });
    await ann.join();
    await bob.join();

    // Both nodes change the same keys at one time, so each must merge again what the other has changed.
    const changes = Array.from({ length: 60 }, (_, n) => {
      const [client, field] = n % 2 === 0 ? [ann, 'ann'] : [bob, 'bob'];
      return client.set(`key ${n % 5}`, { [field]: n, both: n });
    });
    const last = Math.max(...(await Promise.all(changes)).map(({ version }) => version));
    await ann.reach(last);
    await bob.reach(last);
    expect(ann.map).toEqual(bob.map);
    expect(Object.keys(ann.map.get('key 0') as object).toSorted()).toEqual(['ann', 'bob', 'both']);
    await using late = await StateClient.connect(nodes.at(1).url, CHANNEL, { sub: 'late' });
    await late.join();
    expect(late.map).toEqual(ann.map);

    const version = (await ann.set('raced', 0)).version;
    const raced = [ann.set('raced', 1, { ifVersion: version }), bob.set('raced', 2, { ifVersion: version })];
    const settled = await Promise.allSettled(raced);
    expect(settled.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    expect(settled.find((result) => result.status === 'rejected')?.reason).toMatchObject({ code: 'CONFLICT' });

    await nodes.redis.kill();
    await nodes.redis.restart();
    await eventually('changes are stored again', () => ann.set('new', 1).then(Boolean, () => false));
    for (const client of [ann, bob]) {
      await eventually('the state has begun again', async () => {
        await client.next();
        return client.map.size === 1 && client.map.get('new') === 1;
      });
      expect(client.snapshots).toBeGreaterThan(1);
    }
  });
});
