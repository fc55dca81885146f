import { MemoryNodeRegistry } from '../../../../src/cluster/memory/memory-node-registry.js';
import { describeNodeRegistry } from '../node-registry-contract.js';

describeNodeRegistry('MemoryNodeRegistry', {
  isShared: false,
  create: async (nodeId) => new MemoryNodeRegistry(nodeId),
});
