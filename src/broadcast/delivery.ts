import type { Publisher } from '../protocol/envelope.js';
import type { Destination, Traces } from '../protocol/traces.js';
import { Multicast } from '../sessions/multicast.js';
import type { SessionRegistry } from '../sessions/session-registry.js';
import type { Session } from '../sessions/session.js';

/** Whom a message is for, as data: it travels to other nodes. */
export type Target = { readonly to: 'everyone' } | { readonly to: 'user' | 'session' | 'role'; readonly name: string };

/** A message and whom it is for. */
export interface BroadcastDelivery {
  readonly target: Target;
  /** Ids of sessions that are left out. */
  readonly except: readonly string[];
  readonly type: string;
  readonly from: Publisher | undefined;
  /** How `data` is encrypted; undefined: it is plain. */
  readonly enc: string | undefined;
  readonly data: unknown;
  /** The `traceparent` of what sends it, where that is recorded. */
  readonly trace?: string | undefined;
}

/** Whom it is for, as spans show it. */
export function destinationOf(target: Target): Destination {
  return target.to === 'everyone' ? target : { ...target, namesUser: target.to === 'user' };
}

/**
 * Sends to the sessions of this node.
 *
 * @returns how many took it
 * @throws TypeError or RangeError when the data cannot be encoded
 */
export function deliverHere(sessions: SessionRegistry, delivery: BroadcastDelivery, traces?: Traces): number {
  const { target, trace } = delivery;
  if (traces === undefined || trace === undefined || isElsewhere(sessions, target)) return send(sessions, delivery);
  return traces.deliver(destinationOf(target), trace, (seen) => send(sessions, { ...delivery, trace: seen }));
}

function send(sessions: SessionRegistry, { target, except, ...message }: BroadcastDelivery): number {
  const multicast = new Multicast(message);
  visit(sessions, target, (session) => {
    if (except.length === 0 || !except.includes(session.id)) multicast.deliverTo(session);
  });
  return multicast.report(sessions.events);
}

/** In the form in which it travels: absent fields are left out, for encodings disagree about `undefined`. */
export function travelling({ target, except, type, from, enc, data, trace }: BroadcastDelivery): object {
  const head = { target, except, type, ...(from && { from }), ...(trace && { trace }), ...(enc && { enc }) };
  return data === undefined ? head : { ...head, data };
}

/** @throws TypeError where it is no delivery */
export function arrived(payload: unknown): BroadcastDelivery {
  const { target, except, type, from, enc, data, trace } = payload as BroadcastDelivery;
  const isTarget = target.to === 'everyone' || typeof target.name === 'string';
  if (!isTarget || !Array.isArray(except) || typeof type !== 'string') throw new TypeError('No delivery');
  const head = { target, except: except as readonly string[], type, from: from ?? undefined, enc: enc ?? undefined };
  return { ...head, data, trace: trace ?? undefined };
}

/** Nobody meant is on this node. */
function isElsewhere(sessions: SessionRegistry, target: Target): boolean {
  if (target.to === 'user') return sessions.countOfUser(target.name) === 0;
  return target.to === 'session' ? sessions.get(target.name) === undefined : sessions.size === 0;
}

function visit(sessions: SessionRegistry, target: Target, visitor: (session: Session) => void): void {
  switch (target.to) {
    case 'everyone':
      return sessions.forEach(visitor);
    case 'user':
      return sessions.ofUser(target.name).forEach(visitor);
    case 'session': {
      const session = sessions.get(target.name);
      return session && visitor(session);
    }
    case 'role':
      return sessions.forEach((session) => {
        if (session.roles.includes(target.name)) visitor(session);
      });
    default:
      // A newer release may know targets that this one does not.
      throw new TypeError('No such target');
  }
}
