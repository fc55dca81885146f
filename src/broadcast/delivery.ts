import type { Publisher } from '@gatehouse/protocol';
import type { Destination, Traces } from '../protocol/traces.js';
import { Multicast } from '../sessions/multicast.js';
import type { LocalReceivers } from './local-receivers.js';
import type { Target } from './target.js';

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
  // The name of a channel may have the id of a user in it.
  const namesUser = (): boolean => target.to === 'user' || target.to === 'channel';
  return target.to === 'everyone' ? target : { ...target, namesUser: namesUser() };
}

/**
 * Sends to the sessions of this node.
 *
 * @returns how many took it
 * @throws TypeError or RangeError when the data cannot be encoded
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

/** In the form in which it travels: absent fields are left out, for encodings disagree about `undefined`. */
export function travelling({ target, except, type, from, enc, data, trace }: BroadcastDelivery): object {
  const head = { target, except, type, ...(from && { from }), ...(trace && { trace }), ...(enc && { enc }) };
  return data === undefined ? head : { ...head, data };
}

/** @throws TypeError where it is no delivery */
export function arrived(payload: unknown): BroadcastDelivery {
  const { target, except, type, from, enc, data, trace } = payload as BroadcastDelivery;
  const isTarget = target.to === 'everyone' || typeof target.name === 'string';
  if (!isTarget || !Array.isArray(except) || typeof type !== 'string') throw new TypeError('Invalid delivery');
  const head = { target, except: except as readonly string[], type, from: from ?? undefined, enc: enc ?? undefined };
  return { ...head, data, trace: trace ?? undefined };
}
