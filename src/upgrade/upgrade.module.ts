import { Module, type DynamicModule } from '@nestjs/common';
import { Doorstep, DOORSTEP_SETTINGS } from './doorstep.js';
import { UPGRADE_SETTINGS, Upgrader, type UpgradeSettings } from './upgrader.js';
import { UpgradeEvents } from './upgrade-events.js';

/** @see Upgrader */
@Module({})
export class UpgradeModule {
  /** @param imports the modules of the stages below: authentication, lifecycle, access */
  static register(settings: UpgradeSettings, imports: DynamicModule[]): DynamicModule {
    return {
      module: UpgradeModule,
      imports,
      providers: [
        { provide: UPGRADE_SETTINGS, useValue: settings },
        { provide: DOORSTEP_SETTINGS, useValue: settings },
        UpgradeEvents,
        Doorstep,
        Upgrader,
      ],
      exports: [UpgradeEvents, Doorstep, Upgrader],
    };
  }
}
