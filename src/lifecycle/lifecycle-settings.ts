import type { Settings } from '../../config/settings.js';

export type LifecycleSettings = Pick<
  Settings,
  'server' | 'tls' | 'connections' | 'outbound' | 'overload' | 'lifecycle'
>;
