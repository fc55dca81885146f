import type { Settings } from '../../config/settings.js';

/** How nodes find each other, and the name of this node. */
export type ClusterSettings = Settings['cluster'] &
  Pick<Settings['server'], 'serverId'> &
  Pick<Settings['channels'], 'historyBudgetBytes' | 'stateBudgetBytes'> &
  Pick<Settings, 'replay'> & {
    /** The unix socket of the engine in the primary; undefined: this process is alone, or uses Redis. */
    readonly engine?: string | undefined;
  };

export function clusterSettings({ cluster, server, channels, replay, workers }: Settings): ClusterSettings {
  const { historyBudgetBytes, stateBudgetBytes } = channels;
  return {
    ...cluster,
    serverId: server.serverId,
    historyBudgetBytes,
    stateBudgetBytes,
    replay,
    engine: workers.self?.engine,
  };
}
