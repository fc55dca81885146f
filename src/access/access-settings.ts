import type { Settings } from '../../config/settings.js';

export interface AccessSettings {
  readonly connections: Settings['connections'];
  readonly messages: Settings['messages'];
  readonly replay: Settings['replay'];
  readonly authentication: Pick<Settings['authentication'], 'revocationTtlMs'>;
}
