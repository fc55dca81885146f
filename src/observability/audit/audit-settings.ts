import { DEFINITIONS } from '../../../config/definitions.js';
import type { Setting } from '../../../config/setting.js';
import type { Settings } from '../../../config/settings.js';
import { clientText } from '../client-text.js';

const MAX_VALUE_LENGTH = 256;

/** All settings that are not empty, by variable. For a secret, only that it is set. */
export function auditedSettings(settings: Settings): Record<string, unknown> {
  const shown: Record<string, unknown> = {};
  for (const [group, definitions] of Object.entries(DEFINITIONS)) {
    const values = settings[group as keyof typeof DEFINITIONS] as Readonly<Record<string, unknown>>;
    for (const [key, setting] of Object.entries(definitions) as [string, Setting<unknown>][]) {
      const value = values[key];
      const isEmpty = value === undefined || (Array.isArray(value) && value.length === 0);
      if (!isEmpty) shown[setting.env] = setting.secret ? '(secret)' : shownValue(value);
    }
  }
  return shown;
}

function shownValue(value: unknown): unknown {
  if (typeof value === 'number' || typeof value === 'boolean') return value;
  if (Array.isArray(value)) return clientText(value.map(String).join(','), MAX_VALUE_LENGTH);
  return typeof value === 'string' ? clientText(withoutPassword(value), MAX_VALUE_LENGTH) : '(set)';
}

/** Any setting may contain a URL with a password. */
function withoutPassword(text: string): string {
  return text.replace(/\/\/[^/@\s]*@/g, '//(secret)@');
}
