import { beforeEach, describe, expect, it } from 'vitest';
import type { NodeRegistry } from '../../../src/cluster/ports/node-registry.js';
import { REPORT } from './store-node.js';

/** How the suite gets a registry. Two of one test share what they stand on, as two nodes of a cluster do. */
export interface RegistryFactory {
  readonly create: (nodeId: string) => Promise<NodeRegistry>;
  /** Whether several are nodes of one cluster; false: each is alone. */
  readonly isShared: boolean;
}

/** What every node registry promises. */
export function describeNodeRegistry(name: string, { create, isShared }: RegistryFactory): void {
  describe(name, () => {
    const a = `a-${Math.random()}`;
    const b = `b-${Math.random()}`;
    let registry: NodeRegistry;

    beforeEach(async () => {
      registry = await create(a);
      return () => registry.withdraw();
    });

    it('names a life of the node, different after each start', async () => {
      const later = await create(a);
      expect([registry.self.nodeId, later.self.nodeId]).toEqual([a, a]);
      expect(registry.self.incarnation).toMatch(/^a-.+#.{8}$/);
      expect(later.self.incarnation).not.toBe(registry.self.incarnation);
    });

    it('knows itself as soon as it has reported, by what it reported last', async () => {
      expect(registry.nodes).toEqual([]);
      await registry.report(REPORT);
      await registry.report({ ...REPORT, isReady: false });
      expect(registry.nodes.filter(({ nodeId }) => nodeId === a)).toEqual([
        { ...REPORT, ...registry.self, isReady: false },
      ]);
    });

    it('does not forget itself, nor lose itself', async () => {
      registry.listen({
        lost: ({ nodeId }) => expect(nodeId).not.toBe(a),
        forgotten: () => expect.unreachable('it was there all the time'),
      });
      for (let n = 0; n < 5; n += 1) await registry.report(REPORT);
    });

    it('knows nobody once it has withdrawn, for good', async () => {
      await registry.report(REPORT);
      await registry.withdraw();
      expect(registry.nodes).toEqual([]);
      await registry.report(REPORT);
      expect(registry.nodes).toEqual([]);
    });

    it.runIf(isShared)('knows the other nodes, until they withdraw', async () => {
      const other = await create(b);
      await other.report({ ...REPORT, url: 'ws://b/ws' });
      await registry.report(REPORT);
      expect(registry.nodes.find(({ nodeId }) => nodeId === b)).toEqual({
        ...REPORT,
        ...other.self,
        url: 'ws://b/ws',
      });
      await other.withdraw();
      await registry.report(REPORT);
      expect(registry.nodes.map(({ nodeId }) => nodeId)).not.toContain(b);
    });

    it.runIf(isShared)('knows of a node that was started again its newest life', async () => {
      const other = await create(b);
      await other.report(REPORT);
      const again = await create(b);
      await again.report(REPORT);
      await registry.report(REPORT);
      expect(registry.nodes.filter(({ nodeId }) => nodeId === b)).toEqual([{ ...REPORT, ...again.self }]);
      await again.withdraw();
      await other.withdraw();
    });
  });
}
