import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import proxyAddr from 'proxy-addr';
import type { Settings } from '../../../config/settings.js';
import type { TrustedProxies } from '../../../config/trusted-proxies.js';
import { clientAddress, type ClientAddress } from '../../access/limits/address-key.js';
import { forwardedFor } from './forwarded.js';

export type ProxySettings = Pick<Settings['server'], 'trustProxy' | 'forwardedHeader'>;

export type Trust = (address: string, hop: number) => boolean;

/** Where a request comes from, as far as trusted proxies tell. */
export interface Route {
  /** The client's; where the last trusted proxy reports none, that proxy's. */
  readonly address: string;
  /** Trusted proxies that it came through. */
  readonly hops: number;
}

/** Makes the function that finds the client's address, behind trusted proxies the one they report. */
export function clientAddressReader(settings: ProxySettings): (request: IncomingMessage) => ClientAddress {
  if (settings.trustProxy === undefined) return ({ socket }) => clientAddress(socket.remoteAddress ?? '');
  const routeOf = routeReader(settings.trustProxy, settings);
  return (request) => clientAddress(routeOf(request).address);
}

/** Makes the function that says whether connections from an address are those of a trusted proxy, and so of many clients. */
export function trustedPeers(trusted: TrustedProxies): (address: string) => boolean {
  if (trusted === undefined) return () => false;
  const trust = trustOf(trusted);
  return (address) => trust(address, 0);
}

/** Makes the function that follows a request back through the proxies that are trusted. */
export function routeReader(
  trusted: Exclude<TrustedProxies, undefined>,
  { forwardedHeader }: ProxySettings,
): (request: IncomingMessage) => Route {
  const trust = trustOf(trusted);
  return (request) => {
    let address = request.socket.remoteAddress ?? '';
    let from = address;
    let hops = 0;
    for (const reported of forwardedFor(request, forwardedHeader)) {
      if (!trust(from, hops)) break;
      hops += 1;
      from = reported;
      // `unknown` and made-up names are no addresses: whoever reports them stands for the client.
      if (isIP(reported) !== 0) address = reported;
    }
    return { address, hops };
  };
}

/** Whether the proxy at an address, so many hops away, is believed. */
function trustOf(trusted: number | readonly string[]): Trust {
  if (typeof trusted === 'number') return (_address, hop) => hop < trusted;
  return proxyAddr.compile([...trusted]);
}
