import { expect, it } from 'vitest';
import { MemorySharedCounts } from '../../../../src/cluster/memory/memory-shared-counts.js';
import { describeSharedCounts } from '../shared-counts-contract.js';

describeSharedCounts('MemorySharedCounts', {
  isShared: false,
  create: async (nodeId) => new MemorySharedCounts(nodeId),
});

it('keeps nothing of who has given everything back', async () => {
  const counts = new MemorySharedCounts('a');
  for (let n = 0; n < 100; n += 1) {
    await counts.take('address', `10.0.0.${n}`, 1);
    await counts.take('address', `10.0.0.${n}`, 1);
    counts.release('address', `10.0.0.${n}`);
  }
  expect(counts.size).toBe(0);
});
