import type { Publisher } from '@gatehouse/protocol';
import type { Destination, Traces } from '../protocol/traces.js';
import { Multicast } from '../sessions/multicast.js';
import type { LocalReceivers } from './local-receivers.js';
import type { Target } from './target.js';

/** A message and its receivers. */
export interface BroadcastDelivery {
  readonly target: Target;
  /** Ids of sessions that are left out. */
  readonly except: readonly string[];
  readonly type: string;
  readonly from: Publisher | undefined;
  /** How `data` is encrypted; undefined: plain. */
  readonly enc: string | undefined;
  readonly data: unknown;
  /** The `traceparent` of the sender, if it is recorded. */
  readonly trace?: string | undefined;
}

/** The target as spans show it. */
export function destinationOf(target: Target): Destination {
  // The name of a channel may contain the id of a user.
  const namesUser = (): boolean => target.to === 'user' || target.to === 'channel';
  return target.to === 'everyone' ? target : { ...target, namesUser: namesUser() };
}

/**
 * Sends to the sessions of this node.
 *
 * @returns how many took it
 * @throws TypeError or RangeError if the data cannot be encoded
 */
export function deliverHere(receivers: LocalReceivers, delivery: BroadcastDelivery, traces?: Traces): number {
  const { target, trace } = delivery;
  if (traces === undefined || trace === undefined || receivers.hasNone(target)) return send(receivers, delivery);
  return traces.deliver(destinationOf(target), trace, (seen) => send(receivers, { ...delivery, trace: seen }));
}

function send(receivers: LocalReceivers, { target, except, ...message }: BroadcastDelivery): number {
  const multicast = new Multicast(message);
  receivers.visit(target, (session) => {
    if (except.length === 0 || !except.includes(session.id)) multicast.deliverTo(session);
  });
  return multicast.report(receivers.events);
}

/** The form on the wire. Absent fields are omitted, because encodings disagree about `undefined`. */
export function travelling({ target, except, type, from, enc, data, trace }: BroadcastDelivery): object {
  const head = { target, except, type, ...(from && { from }), ...(trace && { trace }), ...(enc && { enc }) };
  return data === undefined ? head : { ...head, data };
}

/** @throws TypeError if it is not a delivery */
export function arrived(payload: unknown): BroadcastDelivery {
  const { target, except, type, from, enc, data, trace } = payload as BroadcastDelivery;
  const isTarget = target.to === 'everyone' || typeof target.name === 'string';
  if (!isTarget || !Array.isArray(except) || typeof type !== 'string') throw new TypeError('Invalid delivery');
  const head = { target, except: except as readonly string[], type, from: from ?? undefined, enc: enc ?? undefined };
  return { ...head, data, trace: trace ?? undefined };
}
