import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import proxyAddr from 'proxy-addr';
import type { TrustedProxies } from '../../config/trusted-proxies.js';
import { clientAddress, type ClientAddress } from '../access/address-key.js';

export type Trust = (address: string, hop: number) => boolean;

/** Makes the function that finds the client's address, behind trusted proxies the one they report. */
export function clientAddressReader(trusted: TrustedProxies): (request: IncomingMessage) => ClientAddress {
  if (trusted === undefined) return ({ socket }) => clientAddress(socket.remoteAddress ?? '');
  const trust = trustOf(trusted);
  return (request) => clientAddress(reported(request, trust) ?? request.socket.remoteAddress ?? '');
}

/** Makes the function that says whether connections from an address are those of a trusted proxy, and so of many clients. */
export function trustedPeers(trusted: TrustedProxies): (address: string) => boolean {
  if (trusted === undefined) return () => false;
  const trust = trustOf(trusted);
  return (address) => trust(address, 0);
}

/** Whether the proxy at an address, so many hops away, is believed. */
export function trustOf(trusted: number | readonly string[]): Trust {
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
