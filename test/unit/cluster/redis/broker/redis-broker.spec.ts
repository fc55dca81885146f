import { RedisBroker } from '../../../../../src/cluster/redis/broker/redis-broker.js';
import { describeBroker } from '../../broker-contract.js';
import { onEveryRedis } from '../../redis-grounds.js';

onEveryRedis((open) => {
  describeBroker('RedisBroker', { isShared: true, create: async () => new RedisBroker(await open()) });
});
