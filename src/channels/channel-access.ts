import type { AccessRule } from '../../config/namespaces.js';
import type { Capability } from '../authentication/principal.js';
import type { InboundMessage } from '../protocol/envelope.js';
import { GatehouseError } from '../protocol/gatehouse-error.js';
import type { Session } from '../sessions/session.js';
import type { Channel } from './channel.js';

/**
 * Checks that the principal may subscribe. Missed publications belong to the subscription; presence events need the
 * right to see presence.
 *
 * @throws GatehouseError UNAUTHENTICATED or FORBIDDEN
 */
export function demandSubscribe(session: Session, channel: Channel, wantsPresence = false): void {
  if (!maySubscribe(session, channel)) throw refusal(session);
  const tells = wantsPresence && channel.namespace.joinLeave;
  if (tells && !mayJoin(session, channel, 'presence')) throw refusal(session);
}

/** Whether the principal may see what the channel carries. */
export function maySubscribe(session: Session, channel: Channel): boolean {
  return mayJoin(session, channel, 'subscribe');
}

/** @throws GatehouseError UNAUTHENTICATED, FORBIDDEN, or NOT_SUBSCRIBED if only subscribers may publish */
export function demandPublish(session: Session, channel: Channel, isSubscribed: boolean): void {
  const rule = channel.namespace.publish;
  if (grants(session, channel, 'publish')) return;
  if (rule !== 'subscribers') {
    if (satisfies(session, channel, rule)) return;
    throw refusal(session);
  }
  if (!isSubscribed) throw new GatehouseError('NOT_SUBSCRIBED');
}

/** @throws GatehouseError FORBIDDEN if the namespace requires encryption and this is plain text */
export function demandEncryption({ namespace }: Channel, { enc }: InboundMessage): void {
  if (namespace.encryption === 'none' || enc !== undefined) return;
  throw new GatehouseError('FORBIDDEN', { message: 'This namespace requires encryption' });
}

/**
 * History and presence are for clients that may subscribe, if the namespace has them at all.
 *
 * @throws GatehouseError UNAUTHENTICATED or FORBIDDEN
 */
export function demandRead(session: Session, channel: Channel, what: 'history' | 'presence'): void {
  const { history, presence } = channel.namespace;
  const exists = what === 'history' ? history !== undefined : presence;
  if (exists && mayJoin(session, channel, what)) return;
  throw exists ? refusal(session) : new GatehouseError('FORBIDDEN', { message: `This namespace has no ${what}` });
}

function mayJoin(session: Session, channel: Channel, capability: Capability): boolean {
  return satisfies(session, channel, channel.namespace.subscribe) || grants(session, channel, capability);
}

function satisfies({ principal }: Session, { localName }: Channel, rule: AccessRule): boolean {
  switch (rule) {
    case 'anyone':
      return true;
    case 'signed_in':
      return !principal.anonymous;
    case 'own_user':
      return !principal.anonymous && localName === principal.userId;
    case 'nobody':
      return false;
    default:
      return rule.some((role) => principal.roles.includes(role));
  }
}

/** What the token's `channels` claim adds to the rules of the namespace. `*` in a pattern stands for any text. */
function grants({ principal: { capabilities } }: Session, { name }: Channel, capability: Capability): boolean {
  if (capabilities === undefined) return false;
  for (const [pattern, allowed] of capabilities) {
    if (allowed.includes(capability) && matches(name, pattern)) return true;
  }
  return false;
}

/** Not a regular expression, because the pattern comes with the token: no backtracking, linear in both. */
function matches(name: string, pattern: string): boolean {
  const [first = '', ...rest] = pattern.split('*');
  if (rest.length === 0) return name === pattern;
  if (!name.startsWith(first)) return false;
  const last = rest.pop() ?? '';
  let at = first.length;
  for (const part of rest) {
    const found = name.indexOf(part, at);
    if (found === -1) return false;
    at = found + part.length;
  }
  return name.length - last.length >= at && name.endsWith(last);
}

function refusal({ principal }: Session): GatehouseError {
  return new GatehouseError(principal.anonymous ? 'UNAUTHENTICATED' : 'FORBIDDEN');
}
