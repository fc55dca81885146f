import ipaddr from 'ipaddr.js';
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import proxyAddr from 'proxy-addr';
import type { TrustedProxies } from '../../config/trusted-proxies.js';

export interface ClientAddress {
  /** As logged and shown: IPv4, or IPv6 in its short form. */
  readonly address: string;
  /** What limits count by: the address, or the /64 of an IPv6 one, for that is what one customer is given. */
  readonly limitKey: string;
}

type Trust = (address: string, hop: number) => boolean;

/** How a dual-stack socket shows an IPv4 client. */
const MAPPED_PREFIX = '::ffff:';

/** Makes the function that finds the client's address, behind trusted proxies the one they report. */
export function clientAddressReader(trusted: TrustedProxies): (request: IncomingMessage) => ClientAddress {
  if (trusted === undefined) return ({ socket }) => normalise(socket.remoteAddress ?? '');
  const trust = trustOf(trusted);
  return (request) => normalise(reported(request, trust) ?? request.socket.remoteAddress ?? '');
}

function trustOf(trusted: number | readonly string[]): Trust {
  if (typeof trusted === 'number') return (_address, hop) => hop < trusted;
  return proxyAddr.compile([...trusted]);
}

/** Undefined where a proxy reports something that is no address. */
function reported(request: IncomingMessage, trust: Trust): string | undefined {
  try {
    const address = withoutPort(proxyAddr(request, trust));
    return isIP(address) === 0 ? undefined : address;
  } catch {
    return undefined;
  }
}

/** Some proxies report `203.0.113.7:4711` or `[2001:db8::7]:4711`. */
function withoutPort(reportedAddress: string): string {
  const [, ipv6, ipv4] = /^(?:\[([^\]]+)\]|([\d.]+))(?::\d+)?$/.exec(reportedAddress) ?? [];
  return ipv6 ?? ipv4 ?? reportedAddress;
}

function normalise(text: string): ClientAddress {
  const unmapped = text.startsWith(MAPPED_PREFIX) ? text.slice(MAPPED_PREFIX.length) : text;
  if (isIP(unmapped) === 4) return { address: unmapped, limitKey: unmapped };
  if (isIP(text) === 0) return { address: text, limitKey: text };

  // process() also makes IPv4 of a mapped address in any other spelling.
  const address = ipaddr.process(text);
  const shown = address.toString();
  if (address.kind() === 'ipv4') return { address: shown, limitKey: shown };
  const prefix = (address as ipaddr.IPv6).parts.slice(0, 4).map((part) => part.toString(16));
  return { address: shown, limitKey: `${prefix.join(':')}::/64` };
}
