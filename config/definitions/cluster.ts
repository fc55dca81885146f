import { checkRedisUrls } from '../addresses.js';
import { milliseconds, oneOf, optionalText, text } from '../setting.js';

/** What joins several nodes. */
export const cluster = {
  redisUrl: optionalText({
    env: 'REDIS_URL',
    unit: 'URL',
    // It may hold a password.
    secret: true,
    check: checkRedisUrls,
    effect:
      'The Redis 7 or Valkey that joins several nodes, redis://[user:password@]host:port/db or rediss://; of a Redis Cluster some of its nodes, separated by commas. Unset: this node is the only one, and keeps everything in its memory.',
  }),
  redisMode: oneOf({
    env: 'REDIS_MODE',
    values: ['standalone', 'cluster'],
    fallback: 'standalone',
    effect: 'cluster: REDIS_URL names nodes of a Redis Cluster, and sharded pub/sub is used.',
  }),
  redisPrefix: text({
    env: 'REDIS_PREFIX',
    fallback: 'gatehouse',
    unit: 'name',
    pattern: /^[\w.-]{1,32}$/,
    must: 'must be 1 to 32 letters, digits, dots, dashes or underscores',
    effect: 'Begins every key and channel in Redis, so that several installations can share one.',
  }),
  redisTimeoutMs: milliseconds({
    env: 'REDIS_TIMEOUT_MS',
    fallback: 2_000,
    min: 100,
    effect: 'A command that Redis has not answered by then has failed, and Redis counts as gone until it answers.',
  }),
} as const;
