import { Cluster, Redis } from 'ioredis';
import { redisAddresses } from '../../../../config/addresses.js';
import type { ClusterSettings } from '../../cluster-settings.js';

export type RedisLinkSettings = Pick<ClusterSettings, 'redisMode' | 'redisPrefix' | 'redisTimeoutMs' | 'serverId'> & {
  readonly redisUrl: string;
};

const MAX_RECONNECT_DELAY_MS = 1_000;

/** The client for commands, not connected yet. */
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
    // The default is one second. A busy cluster that takes longer would never come up.
    slotsRefreshTimeout: settings.redisTimeoutMs,
    // Like autoResendUnfulfilledCommands: 0 means that nothing is sent again after a connection broke.
    retryDelayOnFailover: 0,
    // A command for a slot without a server is refused at once, by its name, and not retried for seconds.
    retryDelayOnClusterDown: 0,
    redisOptions: { ...optionsOf(settings), ...accessTo(addresses[0] ?? '') },
  });
}

export interface BesideOptions {
  /** Whether a command may take as long as WAIT, which may use the whole timeout. */
  readonly isForWaits?: boolean;
}

/** @param server `host:port` of a server of the cluster */
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
    // Pause before Redis is asked again whether it has loaded its data. By default as long as Redis estimates.
    maxLoadingRetryTime: MAX_RECONNECT_DELAY_MS,
    enableOfflineQueue: false,
    // A command without a reply must not be sent twice without the caller's knowledge.
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
  };
}

/** The pause grows with each attempt. */
function delay(times: number): number {
  return Math.min(50 * times, MAX_RECONNECT_DELAY_MS);
}

/** The parts of the address besides host and port, which are the same for every server of a cluster. */
function accessTo(address: string) {
  const { username, password, protocol } = new URL(address);
  return {
    ...(username && { username: decodeURIComponent(username) }),
    ...(password && { password: decodeURIComponent(password) }),
    ...(protocol === 'rediss:' && { tls: {} }),
  };
}
