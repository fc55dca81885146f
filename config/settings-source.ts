import { SETTING_NAMES } from './definitions.js';
import { environmentOfProcess } from './process-environment.js';
import { loadSettings, type Environment, type Settings } from './settings.js';
import { UnusableSettings } from './unusable-settings.js';

/** The source of the settings of a server in a host application. */
export interface SettingsSource {
  /** By the names of .env.example, such as `MESSAGE_RATE`. They take precedence over the environment. */
  readonly settings?: Readonly<Record<string, string | number>>;
  /**
   * For settings that are not in `settings`. Default: the environment of the process, and `.env` in its working
   * directory.
   */
  readonly environment?: Environment;
}

/** @throws UnusableSettings naming every setting that cannot be used or does not exist */
export function settingsOf({ settings = {}, environment = environmentOfProcess() }: SettingsSource): Settings {
  const unknown = Object.keys(settings).filter((name) => !SETTING_NAMES.has(name));
  if (unknown.length > 0) throw new UnusableSettings(unknown.map((name) => `${name} is not a setting of Gatehouse`));
  const texts = Object.fromEntries(Object.entries(settings).map(([name, value]) => [name, String(value)]));
  const loaded = loadSettings({ ...environment, ...texts });
  if (loaded.workers.count === 1) return loaded;
  throw new UnusableSettings([
    'WORKERS must be 1 in a host application: only npm start and gatehouse start start workers',
  ]);
}
