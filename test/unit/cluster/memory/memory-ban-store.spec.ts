import { MemoryBanStore } from '../../../../src/cluster/memory/memory-ban-store.js';
import { describeBanStore } from '../ban-store-contract.js';

describeBanStore('MemoryBanStore', { isShared: false, create: async (maxBans) => new MemoryBanStore(maxBans) });
