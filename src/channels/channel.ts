import type { Namespace, Namespaces } from '../../config/namespaces.js';
import type { ChannelName } from '../cluster/ports/broker.js';
import { GatehouseError } from '../protocol/gatehouse-error.js';
import type { Destination } from '../protocol/traces.js';

const MAX_NAME_LENGTH = 255;
/** `namespace:name`; the name is any printable text, so that ids of any kind fit. */
const SHAPE = /^([\w-]{1,64}):([^\s\p{C}][^\p{C}]*)$/u;

/** A channel that may exist: its name and what its namespace allows. */
export interface Channel {
  readonly name: ChannelName;
  /** The part behind the colon. */
  readonly localName: string;
  readonly namespace: Namespace;
}

/** @throws GatehouseError UNKNOWN_CHANNEL: not of the form `namespace:name`, too long, or a namespace that is not configured */
export function channelNamed(name: string, namespaces: Namespaces): Channel {
  const [, prefix = '', localName = ''] = name.length <= MAX_NAME_LENGTH ? (SHAPE.exec(name) ?? []) : [];
  const namespace = namespaces.get(prefix);
  if (namespace === undefined) throw new GatehouseError('UNKNOWN_CHANNEL');
  return { name: name as ChannelName, localName, namespace };
}

/** A channel as spans show it. */
export function destinationOf({ name, namespace }: Channel): Destination {
  return { to: 'channel', name, namespace: namespace.name, namesUser: namespace.subscribe === 'own_user' };
}
