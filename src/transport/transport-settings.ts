import type { Settings } from '../../config/settings.js';

export const TRANSPORT_SETTINGS = Symbol('TransportSettings');
export type TransportSettings = Pick<Settings, 'server' | 'tls' | 'internal'>;
