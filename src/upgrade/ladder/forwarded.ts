import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import type { Settings } from '../../../config/settings.js';
import { listElements } from './list-header.js';

/**
 * The kind of header that proxies use. Only one kind is read, because clients can write the other, and proxies pass it
 * on.
 */
export type ForwardedHeader = Settings['server']['forwardedHeader'];

/** A parameter of RFC 7239 §4, and its separator. Some proxies omit the quotes that IPv6 needs. */
const PARAMETER = /[ \t]*(?:([\w!#$%&'*+.^`|~-]+)=([^\s",;]+|"(?:[^"\\]|\\.)*")[ \t]*)?(,|;|$)/y;

/** The address that each proxy reports, nearest first. Entries that are not addresses stay as they are. */
export function forwardedFor({ headers }: IncomingMessage, header: ForwardedHeader): readonly string[] {
  const entries =
    header === 'forwarded'
      ? readForwarded(headers.forwarded).map((element) => element.get('for') ?? '')
      : listElements(joined(headers['x-forwarded-for']));
  return entries.map(addressOf).toReversed();
}

/** The scheme that each proxy reports, nearest first; undefined if none reports any. */
export function forwardedProtocols(
  { headers }: IncomingMessage,
  header: ForwardedHeader,
): readonly string[] | undefined {
  const values =
    header === 'forwarded'
      ? readForwarded(headers.forwarded).map((element) => element.get('proto') ?? '')
      : listElements(joined(headers['x-forwarded-proto']));
  const isReported = header === 'forwarded' ? values.some(Boolean) : headers['x-forwarded-proto'] !== undefined;
  return isReported ? values.map((value) => value.toLowerCase()).toReversed() : undefined;
}

/** Removes what proxies add to an address: quotes, brackets, and a port, as in `"[2001:db8::7]:4711"`. */
function addressOf(entry: string): string {
  const bare = /^"(.*)"$/.exec(entry)?.[1] ?? entry;
  const [, ipv6, ipv4] = /^(?:\[([^\]]+)\]|([\d.]+))(?::[\w.-]+)?$/.exec(bare) ?? [];
  const address = ipv6 ?? ipv4 ?? bare;
  return isIP(address) === 0 ? bare : address;
}

/** Elements of Forwarded, farthest first. Empty if it is malformed, because a client may have written its beginning. */
function readForwarded(header: string | undefined): readonly ReadonlyMap<string, string>[] {
  const elements: Map<string, string>[] = [];
  let element = new Map<string, string>();
  PARAMETER.lastIndex = 0;
  for (;;) {
    const [, name, value = '', behind] = PARAMETER.exec(header ?? '') ?? [];
    // The pattern starts from the beginning when it does not match.
    if (behind === undefined) return [];
    if (name !== undefined) element.set(name.toLowerCase(), unquoted(value));
    if (behind === ';') continue;
    if (element.size > 0) elements.push(element);
    if (behind === '') return elements;
    element = new Map();
  }
}

function unquoted(value: string): string {
  return value.startsWith('"') ? value.slice(1, -1).replace(/\\(.)/g, '$1') : value;
}

function joined(header: string | string[] | undefined): string {
  return Array.isArray(header) ? header.join(',') : (header ?? '');
}
