import type { Settings } from '../../config/settings.js';

export type TransportSettings = Pick<Settings, 'server' | 'tls' | 'internal' | 'workers'>;
