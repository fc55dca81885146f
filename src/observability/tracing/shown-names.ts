import { createHash } from 'node:crypto';
import type { Attributes } from '@opentelemetry/api';
import type { Destination } from '../../protocol/traces.js';
import { clientText } from '../client-text.js';

const HASH_LENGTH = 16;

/** The same for the same user on every node, but not an id that a reader of traces could use. */
export function hashOfUser(userId: string): string {
  return createHash('sha256').update(userId).digest('hex').slice(0, HASH_LENGTH);
}

/** The destination, by OpenTelemetry's conventions for messaging. */
export function destinationAttributes({ to, name, namespace, namesUser = false }: Destination): Attributes {
  const shown = name === undefined || !namesUser ? name : hashedName(name, namespace);
  return {
    'messaging.system': 'gatehouse',
    'messaging.destination.template': namespace ?? to,
    ...(shown !== undefined && { 'messaging.destination.name': clientText(shown) ?? '' }),
  };
}

function hashedName(name: string, namespace: string | undefined): string {
  return namespace === undefined ? hashOfUser(name) : `${namespace}:${hashOfUser(name.slice(namespace.length + 1))}`;
}
