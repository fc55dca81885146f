import type { Settings } from '../../config/settings.js';

/** How nodes find each other, and the name of this node. */
export type ClusterSettings = Settings['cluster'] &
  Pick<Settings['server'], 'serverId'> &
  Pick<Settings['channels'], 'historyBudgetBytes' | 'stateBudgetBytes'> &
  Pick<Settings, 'replay'>;

export function clusterSettings({ cluster, server, channels, replay }: Settings): ClusterSettings {
  const { historyBudgetBytes, stateBudgetBytes } = channels;
  return { ...cluster, serverId: server.serverId, historyBudgetBytes, stateBudgetBytes, replay };
}
