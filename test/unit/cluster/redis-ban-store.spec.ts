import { RedisBanStore } from '../../../src/cluster/redis-ban-store.js';
import { describeBanStore } from './ban-store-contract.js';
import { onEveryRedis } from './redis-grounds.js';

onEveryRedis((open) => {
  describeBanStore('RedisBanStore', {
    isShared: true,
    create: async (maxBans) => new RedisBanStore(await open(), maxBans),
  });
});
