import { MemoryRecordStore } from '../../../../src/cluster/memory/memory-record-store.js';
import { describeRecordStore } from '../record-store-contract.js';

describeRecordStore('MemoryRecordStore', {
  isShared: false,
  create: async (type, max) => new MemoryRecordStore(type, max),
});
