import { Global, Module, type DynamicModule } from '@nestjs/common';
import type { Settings } from '../../config/settings.js';
import { CLUSTER_SETTINGS, type ClusterSettings } from './cluster-settings.js';

/** Global, so that ClusterModule has no parameters and whoever needs a port can import it. */
@Global()
@Module({})
export class ClusterSettingsModule {
  static register({
    cluster,
    server: { serverId },
    channels: { historyBudgetBytes },
    replay,
  }: Settings): DynamicModule {
    const settings: ClusterSettings = { ...cluster, serverId, historyBudgetBytes, replay };
    return {
      module: ClusterSettingsModule,
      providers: [{ provide: CLUSTER_SETTINGS, useValue: settings }],
      exports: [CLUSTER_SETTINGS],
    };
  }
}
