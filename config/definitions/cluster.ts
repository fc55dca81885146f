import { checkRedisUrls } from '../addresses.js';
import { milliseconds, oneOf, optionalText, text } from '../setting.js';

/** Connecting several nodes. */
export const cluster = {
  redisUrl: optionalText({
    env: 'REDIS_URL',
    unit: 'URL',
    // It may contain a password.
    secret: true,
    check: checkRedisUrls,
    effect:
      'The Redis 7 or Valkey that connects several nodes: redis://[user:password@]host:port/db or rediss://. For a Redis Cluster, some of its nodes, separated by commas. Unset: this is the only node, and it keeps everything in memory.',
  }),
  redisMode: oneOf({
    env: 'REDIS_MODE',
    values: ['standalone', 'cluster'],
    fallback: 'standalone',
    effect: 'cluster: REDIS_URL names nodes of a Redis Cluster, and the server uses sharded pub/sub.',
  }),
  redisPrefix: text({
    env: 'REDIS_PREFIX',
    fallback: 'gatehouse',
    unit: 'name',
    pattern: /^[\w.-]{1,32}$/,
    must: 'must be 1 to 32 letters, digits, dots, dashes or underscores',
    effect: 'Prefix of every key and channel in Redis, so that several installations can share one.',
  }),
  redisTimeoutMs: milliseconds({
    env: 'REDIS_TIMEOUT_MS',
    fallback: 2_000,
    min: 100,
    effect:
      'A command without an answer after this time has failed. Redis then counts as unreachable until it answers. Without REDIS_URL, the same holds for a call of a worker to the primary.',
  }),
} as const;
