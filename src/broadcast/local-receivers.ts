import { Injectable } from '@nestjs/common';
import { ChannelHub } from '../channels/channel-hub.js';
import { channelMeant } from '../channels/channel.js';
import { ChannelsSettings } from '../channels/channels-settings.js';
import type { ChannelName } from '../cluster/ports/broker.js';
import type { SessionEvents } from '../sessions/session-events.js';
import { SessionRegistry } from '../sessions/session-registry.js';
import type { Session } from '../sessions/session.js';
import type { Target } from './target.js';

/** The sessions of this node that belong to a target. */
@Injectable()
export class LocalReceivers {
  constructor(
    private readonly sessions: SessionRegistry,
    private readonly hub: ChannelHub,
    private readonly settings: ChannelsSettings,
  ) {}

  get events(): SessionEvents {
    return this.sessions.events;
  }

  /** @throws UnknownNamespace if the name is not valid */
  channelTarget(name: string): Target {
    return { to: 'channel', name: channelMeant(name, this.settings).name };
  }

  has(sessionId: string): boolean {
    return this.sessions.get(sessionId) !== undefined;
  }

  /** Whether no receiver is on this node. */
  hasNone(target: Target): boolean {
    if (target.to === 'user') return this.sessions.countOfUser(target.name) === 0;
    if (target.to === 'channel') return !this.hub.get(target.name as ChannelName)?.subscriptions.size;
    return target.to === 'session' ? !this.has(target.name) : this.sessions.size === 0;
  }

  visit(target: Target, visitor: (session: Session) => void): void {
    switch (target.to) {
      case 'everyone':
        return this.sessions.forEach(visitor);
      case 'user':
        return this.sessions.ofUser(target.name).forEach(visitor);
      case 'session': {
        const session = this.sessions.get(target.name);
        return session && visitor(session);
      }
      case 'role':
        return this.sessions.forEach((session) => {
          if (session.roles.includes(target.name)) visitor(session);
        });
      case 'channel': {
        const subscriptions = this.hub.get(target.name as ChannelName)?.subscriptions.values() ?? [];
        for (const { session } of subscriptions) visitor(session);
        return;
      }
      default:
        // A newer release may know targets that this one does not.
        throw new TypeError('Unknown target of a delivery');
    }
  }
}
