import { isRange, NAMED_RANGES } from './address-ranges.js';
import type { Setting } from './setting.js';

/** The number of proxies in front, or their addresses; undefined trusts none. */
export type TrustedProxies = number | readonly string[] | undefined;

export function trustedProxies(description: { env: string; effect: string }): Setting<TrustedProxies> {
  return {
    ...description,
    fallback: '',
    unit: `a count, or a comma-separated list of addresses, CIDR ranges, ${NAMED_RANGES.join(', ')}`,
    secret: false,
    parse(text) {
      if (text === '') return undefined;
      if (/^\d{1,3}$/.test(text)) return Number(text) === 0 ? undefined : Number(text);
      const entries = text.split(',').map((entry) => entry.trim());
      if (!entries.every(isRange)) {
        throw new Error(`must be a number of proxies, or a list of addresses, CIDR ranges, ${NAMED_RANGES.join(', ')}`);
      }
      return entries;
    },
  };
}
