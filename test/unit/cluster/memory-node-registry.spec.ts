import { MemoryNodeRegistry } from '../../../src/cluster/memory-node-registry.js';
import { describeNodeRegistry } from './node-registry-contract.js';

describeNodeRegistry('MemoryNodeRegistry', {
  isShared: false,
  create: async (nodeId) => new MemoryNodeRegistry(nodeId),
});
