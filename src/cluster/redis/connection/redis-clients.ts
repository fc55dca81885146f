import { Cluster, Redis } from 'ioredis';
import { redisAddresses } from '../../../../config/addresses.js';
import type { ClusterSettings } from '../../cluster-settings.js';
import { accessTo } from './redis-access.js';

export type RedisLinkSettings = Pick<ClusterSettings, 'redisMode' | 'redisPrefix' | 'redisTimeoutMs' | 'serverId'> & {
  readonly redisUrl: string;
};

const MAX_RECONNECT_DELAY_MS = 1_000;

/** The one that commands go out on. Not connected yet. */
export function createClient(settings: RedisLinkSettings): Redis | Cluster {
  const options = { ...optionsOf(settings), lazyConnect: true, enableAutoPipelining: true };
  const addresses = redisAddresses(settings.redisUrl);
  if (settings.redisMode === 'standalone') {
    return new Redis(addresses[0] ?? '', { ...options, retryStrategy: delay });
  }
  return new Cluster([...addresses], {
    lazyConnect: true,
    enableOfflineQueue: false,
    clusterRetryStrategy: delay,
    clusterNodeRetryStrategy: delay,
    slotsRefreshInterval: 2_000,
    // As autoResendUnfulfilledCommands: zero means that nothing is sent again after a connection broke.
    retryDelayOnFailover: 0,
    // Nor is anything tried for seconds while a slot has no server: it is refused at once, by its name.
    retryDelayOnClusterDown: 0,
    redisOptions: { ...optionsOf(settings), ...accessTo(addresses[0] ?? '') },
  });
}

export interface BesideOptions {
  /** Whether a command may take as long as WAIT: that has the whole timeout to itself. */
  readonly isForWaits?: boolean;
}

/** @param server `host:port` of one of the servers of a cluster */
export function clientBeside(
  settings: RedisLinkSettings,
  server: string | undefined,
  { isForWaits = false }: BesideOptions = {},
): Redis {
  const { redisTimeoutMs } = settings;
  const limits = isForWaits ? { commandTimeout: redisTimeoutMs * 2, socketTimeout: redisTimeoutMs * 3 } : {};
  const fixed = { lazyConnect: true, autoResubscribe: false, retryStrategy: delay };
  const options = { ...optionsOf(settings), ...limits, ...fixed };
  const [address = ''] = redisAddresses(settings.redisUrl);
  if (server === undefined) return new Redis(address, options);
  const colon = server.lastIndexOf(':');
  const place = { host: server.slice(0, colon), port: Number(server.slice(colon + 1)) };
  return new Redis({ ...options, ...accessTo(address), ...place });
}

function optionsOf({ redisTimeoutMs, serverId }: RedisLinkSettings) {
  return {
    connectionName: `gatehouse-${serverId}`,
    connectTimeout: redisTimeoutMs,
    commandTimeout: redisTimeoutMs,
    socketTimeout: redisTimeoutMs * 2,
    // How long until Redis is asked again whether it has loaded its data; by default as long as it thinks that it takes.
    maxLoadingRetryTime: MAX_RECONNECT_DELAY_MS,
    enableOfflineQueue: false,
    // A command whose answer was lost must not be made twice behind the caller's back.
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
  };
}

/** The longer it takes, the less often it is tried. */
function delay(times: number): number {
  return Math.min(50 * times, MAX_RECONNECT_DELAY_MS);
}
