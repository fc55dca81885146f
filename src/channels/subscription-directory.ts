import { Injectable } from '@nestjs/common';
import type { ChannelName } from '../cluster/ports/broker.js';
import { NodeBus } from '../cluster/ports/node-bus.js';
import { NodeRegistry } from '../cluster/ports/node-registry.js';
import { SessionRegistry } from '../sessions/session-registry.js';
import type { Session } from '../sessions/session.js';
import { ChannelHub } from './channel-hub.js';

/** A channel that a session is subscribed to, as operators see it. */
export interface SubscriptionSummary {
  readonly channel: string;
  readonly namespace: string;
  /** Why the session may be there: its own rights, or a decision of the application, which outlives changed rights. */
  readonly grantedBy: 'rights' | 'application';
}

/** A session that is subscribed to a channel. */
export interface SubscriberSummary {
  readonly sessionId: string;
  /** Null for an anonymous session. */
  readonly userId: string | null;
  readonly nodeId: string;
}

export interface SubscriptionPage {
  /** Undefined if no node that answered has the session. */
  readonly found: { readonly nodeId: string; readonly subscriptions: readonly SubscriptionSummary[] } | undefined;
  /** Nodes that did not answer. */
  readonly missing: readonly string[];
}

export interface SubscriberPage {
  /** Sorted by session id. */
  readonly subscribers: readonly SubscriberSummary[];
  /** Nodes that did not answer. Their subscribers are not listed. */
  readonly missing: readonly string[];
}

/** A part of a sorted list. */
interface Part {
  readonly limit: number;
  /** Only what comes after this. Empty: from the first. */
  readonly after: string;
}

interface OfSession extends Part {
  readonly sessionId: string;
}

interface OfChannel extends Part {
  readonly channel: ChannelName;
}

const OF_SESSION = 'list-subscriptions';
const OF_CHANNEL = 'list-subscribers';

/** The subscriptions of one session and the subscribers of one channel, over all nodes. */
@Injectable()
export class SubscriptionDirectory {
  constructor(
    private readonly bus: NodeBus,
    private readonly registry: NodeRegistry,
    private readonly hub: ChannelHub,
    private readonly sessions: SessionRegistry,
  ) {
    bus.handle(OF_SESSION, (payload) => this.subscriptionsHere(payload as OfSession) ?? null);
    bus.handle(OF_CHANNEL, (payload) => this.subscribersHere(payload as OfChannel));
  }

  /** Sorted by channel. */
  async ofSession(query: OfSession): Promise<SubscriptionPage> {
    const here = this.subscriptionsHere(query);
    if (here) return { found: { nodeId: this.registry.self.nodeId, subscriptions: here }, missing: [] };
    const { received, missing } = await this.bus.ask<readonly SubscriptionSummary[] | null>(OF_SESSION, { ...query });
    for (const [nodeId, subscriptions] of received) {
      if (subscriptions !== null) return { found: { nodeId, subscriptions }, missing: [] };
    }
    return { found: undefined, missing };
  }

  async ofChannel(query: OfChannel): Promise<SubscriberPage> {
    const { received, missing } = await this.bus.ask<readonly SubscriberSummary[]>(OF_CHANNEL, { ...query });
    const subscribers = [...this.subscribersHere(query), ...[...received.values()].flat()];
    return { subscribers: subscribers.sort(bySessionId).slice(0, query.limit), missing };
  }

  private subscriptionsHere({ sessionId, after, limit }: OfSession): readonly SubscriptionSummary[] | undefined {
    const session = this.sessions.get(sessionId);
    if (session === undefined) return undefined;
    const own = this.hub.channelsOf(session).filter(({ isCompanion, name }) => !isCompanion && name > after);
    const page = own.sort((left, right) => (left.name < right.name ? -1 : 1)).slice(0, limit);
    return page.map(({ name, channel, subscriptions }) => ({
      channel: name,
      namespace: channel.namespace.name,
      grantedBy: subscriptions.get(session)?.isByRight === false ? 'application' : 'rights',
    }));
  }

  private subscribersHere({ channel, after, limit }: OfChannel): readonly SubscriberSummary[] {
    const { nodeId } = this.registry.self;
    let first: Session[] = [];
    let last: string | undefined;
    for (const { session } of this.hub.get(channel)?.subscriptions.values() ?? []) {
      if (session.id <= after || (last !== undefined && session.id >= last)) continue;
      first.push(session);
      // Two pages at a time: all subscribers of a large channel at once would block the event loop.
      if (first.length < 2 * limit) continue;
      first = first.sort(byId).slice(0, limit);
      last = first.at(-1)?.id;
    }
    return first
      .sort(byId)
      .slice(0, limit)
      .map((session) => subscriberOf(session, nodeId));
  }
}

function subscriberOf({ id, principal }: Session, nodeId: string): SubscriberSummary {
  return { sessionId: id, userId: principal.anonymous ? null : principal.userId, nodeId };
}

function byId(left: Session, right: Session): number {
  return left.id < right.id ? -1 : 1;
}

function bySessionId(left: SubscriberSummary, right: SubscriberSummary): number {
  return left.sessionId < right.sessionId ? -1 : 1;
}
