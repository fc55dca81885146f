import type { Settings } from '../../config/settings.js';

export const API_SETTINGS = Symbol('ApiSettings');

export type ApiSettings = Settings['api'] & Pick<Settings['server'], 'trustProxy' | 'allowedOrigins'>;
