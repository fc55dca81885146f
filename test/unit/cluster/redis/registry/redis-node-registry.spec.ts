import { randomUUID } from 'node:crypto';
import { Logger } from '@nestjs/common';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { RedisNodeRegistry } from '../../../../../src/cluster/redis/registry/redis-node-registry.js';
import { eventually } from '../../../../support/eventually.js';
import { describeNodeRegistry } from '../../node-registry-contract.js';
import { onEveryRedis } from '../../redis-grounds.js';
import { passLease, passSilence, REPORT, StoreNode, TEST_LEASE_MS } from '../../store-node.js';

onEveryRedis((open) => {
  describeNodeRegistry('RedisNodeRegistry', {
    isShared: true,
    create: async (nodeId) => new RedisNodeRegistry(await open(), nodeId, { leaseMs: TEST_LEASE_MS }),
  });

  describe('a node registry', () => {
    let prefix: string;
    beforeEach(() => void (prefix = `test-${randomUUID().slice(0, 8)}`));
    const link = () => open(prefix);
    const lostOf = (nodes: readonly StoreNode[], name: string) =>
      nodes.flatMap(({ told }) => told).filter((word) => word === `lost ${name}`);

    it('tells one node that another has not reported for a lease, and knows it no more', async () => {
      await using a = await StoreNode.start(await link(), 'a');
      await using b = await StoreNode.start(await link(), 'b');
      await using silent = await StoreNode.start(await link(), 'silent');
      await silent.freeze();
      await passLease(a.link, a, b);
      await eventually('the loss is told', () => lostOf([a, b], 'silent').length > 0);
      await eventually('it is nowhere', () => [a, b].every(({ registry }) => registry.nodes.length === 2));
      expect(lostOf([a, b], 'silent')).toHaveLength(1);
    });

    it('tells again, where whoever was told could not clear up', async () => {
      await using silent = await StoreNode.start(await link(), 'silent');
      const registry = new RedisNodeRegistry(await link(), 'a', { leaseMs: TEST_LEASE_MS });
      const report = () => registry.report(REPORT);
      let attempts = 0;
      registry.listen({
        lost: async () => {
          attempts += 1;
          if (attempts < 3) throw new Error('Redis is away');
        },
        forgotten: () => {},
      });
      await silent.freeze();
      await report();
      for (const attempt of [1, 2, 3]) {
        await passLease(silent.link, { report });
        await eventually('it is told again', () => attempts === attempt);
      }
      await passLease(silent.link, { report });
      expect([attempts, registry.nodes.length]).toEqual([3, 1]);
      await registry.withdraw();
    });

    it('tells a node that was given up meanwhile, and gives it another name', async () => {
      await using a = await StoreNode.start(await link(), 'a');
      await using silent = await StoreNode.start(await link(), 'silent');
      const { incarnation } = silent.registry.self;
      await silent.freeze();
      await passLease(a.link, a);
      await eventually('the loss is told', () => lostOf([a], 'silent').length === 1);
      silent.thaw();
      await eventually('it is told', () => silent.told.includes('forgotten'));
      expect(silent.registry.self.nodeId).toBe('silent');
      expect(silent.registry.self.incarnation).not.toBe(incarnation);
      await eventually('it is known again', () => a.registry.nodes.length === 2);
      expect(silent.told).toEqual(['forgotten']);
    });

    it('loses nobody where no node could report for a while', async () => {
      await using a = await StoreNode.start(await link(), 'a');
      await using b = await StoreNode.start(await link(), 'b');
      for (const node of [a, b]) await node.freeze();
      await passSilence(a.link);
      for (const node of [a, b]) await node.report();
      expect([a.registry.nodes.length, b.registry.nodes.length]).toEqual([2, 2]);
      expect([a.told, b.told]).toEqual([[], []]);
    });

    it('knows the other nodes where the report of one is none, or the clock of Redis', async () => {
      const own = await link();
      const failures: string[] = [];
      own.on('failed', (reason) => failures.push(reason));
      await using a = await StoreNode.start(own, 'a');
      await using b = await StoreNode.start(await link(), 'b');
      await using bad = await StoreNode.start(await link(), 'bad');
      for (const node of [a, b, bad]) await node.freeze();
      const { incarnation } = bad.registry.self;
      const good = { ...REPORT, nodeId: 'bad', incarnation };
      const reports = ['{', '[]', '{}', { ...good, load: undefined }, { ...good, nodeId: 'b' }, { ...good, url: 7 }];
      await own.client.hset(own.key('nodes', 'clock'), { last: 'never', since: 9e15 });
      for (const report of reports) {
        const text = typeof report === 'string' ? report : JSON.stringify(report);
        await own.client.hset(own.key('nodes', 'reports'), incarnation, text);
        await Promise.all([a.report(), b.report()]);
        expect(a.registry.nodes.map(({ nodeId }) => nodeId).sort()).toEqual(['a', 'b']);
      }
      expect(failures).toEqual(Array(reports.length).fill(`malformed report of node ${incarnation}`));
      await bad.report();
      await a.report();
      expect(a.registry.nodes).toHaveLength(3);
    });

    it('clears up after nodes that were all gone, once one is there again', async () => {
      const gone = await StoreNode.start(await link(), 'gone');
      await gone.freeze();
      await passSilence(gone.link);
      await using a = await StoreNode.start(await link(), 'a');
      await passLease(a.link, a);
      await eventually('the loss is told', () => a.told.includes('lost gone'));
    });

    it('warns once of a SERVER_ID that two nodes use, and not of a node that was started again', async () => {
      const warn = vi.spyOn(Logger.prototype, 'warn').mockImplementation(() => {});
      try {
        const before = await StoreNode.start(await link(), 'again');
        await before.freeze();
        await using after = await StoreNode.start(await link(), 'again');
        await after.report();
        await after.report();
        expect(warn).not.toHaveBeenCalled();
        await using namesake = await StoreNode.start(await link(), 'again');
        await eventually('both have noticed', () => warn.mock.calls.length >= 2);
        for (const node of [after, namesake]) await node.report();
        const warning = { msg: 'another node uses the same SERVER_ID', nodeId: 'again' };
        expect(warn.mock.calls.map(([line]: unknown[]) => line)).toEqual([warning, warning]);
      } finally {
        warn.mockRestore();
      }
    });
  });
});
