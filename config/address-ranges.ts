import { isIP } from 'node:net';
import { list, type Setting } from './setting.js';

/** Names for well-known ranges, as Express knows them. */
export const NAMED_RANGES = ['loopback', 'linklocal', 'uniquelocal'];

/** A list of addresses, of IPv4 or IPv6, and CIDR ranges. */
export function addressRanges(description: { env: string; effect: string }): Setting<readonly string[]> {
  return list({
    ...description,
    unit: `comma-separated list of addresses, CIDR ranges, ${NAMED_RANGES.join(', ')}`,
    check: isRange,
    must: `must be a list of addresses, CIDR ranges, ${NAMED_RANGES.join(', ')}`,
  });
}

export function isRange(entry: string): boolean {
  if (NAMED_RANGES.includes(entry)) return true;
  const [address = '', prefix, ...rest] = entry.split('/');
  const version = isIP(address);
  if (version === 0 || rest.length > 0) return false;
  // proxy-addr, which reads them, takes no /0.
  return prefix === undefined || (/^[1-9]\d{0,2}$/.test(prefix) && Number(prefix) <= (version === 4 ? 32 : 128));
}
