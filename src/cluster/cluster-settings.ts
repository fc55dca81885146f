import type { Settings } from '../../config/settings.js';

export const CLUSTER_SETTINGS = Symbol('ClusterSettings');

/** How nodes find each other, and the name of this one. */
export type ClusterSettings = Settings['cluster'] &
  Pick<Settings['server'], 'serverId'> &
  Pick<Settings['channels'], 'historyBudgetBytes'> &
  Pick<Settings, 'replay'>;
