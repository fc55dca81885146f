import type { Settings } from '../../config/settings.js';

export const LIFECYCLE_SETTINGS = Symbol('LifecycleSettings');
export type LifecycleSettings = Pick<
  Settings,
  'server' | 'tls' | 'connections' | 'outbound' | 'overload' | 'lifecycle'
>;
