import ipaddr from 'ipaddr.js';
import type { IncomingMessage } from 'node:http';
import proxyAddr from 'proxy-addr';
import type { TrustedProxies } from '../../config/trusted-proxies.js';

export interface ClientAddress {
  /** As logged and shown: IPv4, or IPv6 in its short form. */
  readonly address: string;
  /** What limits count by: the address, or the /64 of an IPv6 one, for that is what one customer is given. */
  readonly limitKey: string;
}

type Trust = (address: string, hop: number) => boolean;

/** Makes the function that finds the client's address, behind trusted proxies the one they report. */
export function clientAddressReader(trusted: TrustedProxies): (request: IncomingMessage) => ClientAddress {
  const trust = trustOf(trusted);
  return (request) => normalise(reported(request, trust) ?? request.socket.remoteAddress ?? '');
}

function trustOf(trusted: TrustedProxies): Trust {
  if (trusted === undefined) return () => false;
  if (typeof trusted === 'number') return (_address, hop) => hop < trusted;
  return proxyAddr.compile([...trusted]);
}

/** Undefined where a proxy reports something that is no address. */
function reported(request: IncomingMessage, trust: Trust): string | undefined {
  try {
    const address = proxyAddr(request, trust);
    return ipaddr.isValid(address) ? address : undefined;
  } catch {
    return undefined;
  }
}

function normalise(text: string): ClientAddress {
  if (!ipaddr.isValid(text)) return { address: text, limitKey: text };
  // An IPv4 client of a dual-stack socket appears as ::ffff:a.b.c.d; process() makes it IPv4 again.
  const address = ipaddr.process(text);
  const shown = address.toString();
  if (address.kind() === 'ipv4') return { address: shown, limitKey: shown };
  const prefix = (address as ipaddr.IPv6).parts.slice(0, 4).map((part) => part.toString(16));
  return { address: shown, limitKey: `${prefix.join(':')}::/64` };
}
