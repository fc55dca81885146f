import { Global, Module, type DynamicModule } from '@nestjs/common';
import { CHANNELS_SETTINGS, type ChannelsSettings } from './channels-settings.js';

/** Global, so that a feature imports ChannelsModule and need not know where its namespaces come from. */
@Global()
@Module({})
export class ChannelsSettingsModule {
  static register(settings: ChannelsSettings): DynamicModule {
    return {
      module: ChannelsSettingsModule,
      providers: [{ provide: CHANNELS_SETTINGS, useValue: settings }],
      exports: [CHANNELS_SETTINGS],
    };
  }
}
