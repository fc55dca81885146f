import type { Settings } from '../../../config/settings.js';

export const DIAGNOSTICS_SETTINGS = Symbol('DiagnosticsSettings');

export type DiagnosticsSettings = Settings['diagnostics'];
