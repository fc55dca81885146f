import { parseChannelName } from '@gatehouse/protocol';
import type { Namespace, Namespaces } from '../../config/namespaces.js';
import type { ChannelName } from '../cluster/ports/broker.js';
import { GatehouseError } from '../protocol/gatehouse-error.js';
import type { Destination } from '../protocol/traces.js';

/** A valid channel: its name and the options of its namespace. */
export interface Channel {
  readonly name: ChannelName;
  /** The part after the colon. */
  readonly localName: string;
  readonly namespace: Namespace;
}

/**
 * @throws GatehouseError UNKNOWN_CHANNEL if the name is not of the form `namespace:name`, is too long, or has a
 *   namespace that is not configured
 */
export function channelNamed(name: string, namespaces: Namespaces): Channel {
  const parts = parseChannelName(name);
  const namespace = parts === undefined ? undefined : namespaces.get(parts.namespace);
  if (parts === undefined || namespace === undefined) throw new GatehouseError('UNKNOWN_CHANNEL');
  return new NamedChannel(name as ChannelName, namespace);
}

/** Nodes hold very many: what follows from the name is not kept. */
class NamedChannel implements Channel {
  constructor(
    readonly name: ChannelName,
    readonly namespace: Namespace,
  ) {}

  get localName(): string {
    return this.name.slice(this.namespace.name.length + 1);
  }
}

/** Thrown if application code names an invalid channel. */
export class UnknownNamespace extends Error {
  constructor(name: string, known: KnownNamespaces) {
    super(`Invalid channel "${name}": a channel name is <namespace>:<name>. ${fixFor(known)}`);
    this.name = 'UnknownNamespace';
  }
}

/** The namespaces, and the file that defines them. */
export interface KnownNamespaces {
  readonly namespaces: Namespaces;
  readonly file?: string | undefined;
}

/** How to fix a missing namespace. */
export function fixFor({ namespaces, file = 'config/channels.yaml' }: KnownNamespaces): string {
  const known = [...namespaces.keys()].join(', ') || 'none';
  return `Namespaces are: ${known}. Add yours to ${file}, or set CHANNELS_FILE to a file that has it`;
}

/**
 * Resolves a channel name in application code.
 *
 * @throws UnknownNamespace if the name is not valid
 */
export function channelMeant(meant: Channel | string, known: KnownNamespaces): Channel {
  if (typeof meant !== 'string') return meant;
  try {
    return channelNamed(meant, known.namespaces);
  } catch {
    throw new UnknownNamespace(meant, known);
  }
}

/** A channel as spans show it. */
export function destinationOf({ name, namespace }: Channel): Destination {
  return { to: 'channel', name, namespace: namespace.name, namesUser: namespace.subscribe === 'own_user' };
}
