import ipaddr from 'ipaddr.js';
import { isIP } from 'node:net';

export interface ClientAddress {
  /** For logs and display: IPv4, or IPv6 in its short form. */
  readonly address: string;
  /** The key for limits and bans: the address, or the /64 of an IPv6 address, because one customer gets a whole /64. */
  readonly limitKey: string;
}

/** A client, as far as its request shows where it comes from. */
export interface Origin extends ClientAddress {
  /** The address is that of a trusted proxy, which reports no client: it stands for all that the proxy does not name. */
  readonly isProxy: boolean;
}

/** How a dual-stack socket shows an IPv4 client. */
const MAPPED_PREFIX = '::ffff:';

/** Whether the key stands for the machine itself. Nobody else has an address of ::/64. */
export function isLoopbackKey(limitKey: string): boolean {
  return limitKey.startsWith('127.') || limitKey === '0:0:0:0::/64';
}

/** Text that is not an address stays unchanged. */
export function clientAddress(text: string): ClientAddress {
  const unmapped = text.startsWith(MAPPED_PREFIX) ? text.slice(MAPPED_PREFIX.length) : text;
  if (isIP(unmapped) === 4) return { address: unmapped, limitKey: unmapped };
  if (isIP(text) === 0) return { address: text, limitKey: text };

  // process() also converts a mapped address in any other spelling to IPv4.
  const address = ipaddr.process(text);
  const shown = address.toString();
  if (address.kind() === 'ipv4') return { address: shown, limitKey: shown };
  const prefix = (address as ipaddr.IPv6).parts.slice(0, 4).map((part) => part.toString(16));
  return { address: shown, limitKey: `${prefix.join(':')}::/64` };
}
