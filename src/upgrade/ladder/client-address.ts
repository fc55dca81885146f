import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import proxyAddr from 'proxy-addr';
import type { Settings } from '../../../config/settings.js';
import type { TrustedProxies } from '../../../config/trusted-proxies.js';
import { clientAddress, type Origin } from '../../access/limits/address-key.js';
import { forwardedFor } from './forwarded.js';

export type ProxySettings = Pick<Settings['server'], 'trustProxy' | 'forwardedHeader'>;

export type Trust = (address: string, hop: number) => boolean;

/** The origin of a request, as far as trusted proxies report it. */
export interface Route {
  /** The address of the client; if the last trusted proxy reports none, that of the proxy. */
  readonly address: string;
  /** Number of trusted proxies that it came through. */
  readonly hops: number;
  /** Whether the address itself is that of a trusted proxy. */
  readonly isProxy: boolean;
}

/** Creates the function that finds the client's address; behind trusted proxies the one that they report. */
export function originReader(settings: ProxySettings): (request: IncomingMessage) => Origin {
  const { trustProxy } = settings;
  if (trustProxy === undefined)
    return ({ socket }) => ({ ...clientAddress(socket.remoteAddress ?? ''), isProxy: false });
  const routeOf = routeReader(trustProxy, settings);
  return (request) => {
    const { address, isProxy } = routeOf(request);
    return { ...clientAddress(address), isProxy };
  };
}

/** Creates the function that tells whether an address is a trusted proxy, and so stands for many clients. */
export function trustedPeers(trusted: TrustedProxies): (address: string) => boolean {
  if (trusted === undefined) return () => false;
  const trust = trustOf(trusted);
  return (address) => trust(address, 0);
}

/** Creates the function that follows a request back through trusted proxies. */
export function routeReader(
  trusted: Exclude<TrustedProxies, undefined>,
  { forwardedHeader }: ProxySettings,
): (request: IncomingMessage) => Route {
  const trust = trustOf(trusted);
  return (request) => {
    let address = request.socket.remoteAddress ?? '';
    let from = address;
    let hops = 0;
    let hopsToAddress = 0;
    for (const reported of forwardedFor(request, forwardedHeader)) {
      if (!trust(from, hops)) break;
      hops += 1;
      from = reported;
      // `unknown` and invented names are not addresses: the proxy that reports them stands for the client.
      if (isIP(reported) === 0) continue;
      address = reported;
      hopsToAddress = hops;
    }
    return { address, hops, isProxy: trust(address, hopsToAddress) };
  };
}

/** Whether the proxy at an address, this many hops away, is trusted. */
function trustOf(trusted: number | readonly string[]): Trust {
  if (typeof trusted === 'number') return (_address, hop) => hop < trusted;
  return proxyAddr.compile([...trusted]);
}
