import { MemoryRevocationStore } from '../../../../src/cluster/memory/memory-revocation-store.js';
import { describeRevocationStore } from '../revocation-store-contract.js';

describeRevocationStore('MemoryRevocationStore', {
  isShared: false,
  create: async (max) => new MemoryRevocationStore(max),
});
