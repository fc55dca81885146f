import { Injectable, type OnModuleInit } from '@nestjs/common';
import { channelNamed, type Channel } from '../../channels/channel.js';
import { ChannelsSettings } from '../../channels/channels-settings.js';
import { presenceChannelOf, PresenceTracker } from '../../channels/presence/presence-tracker.js';
import { SessionEvents } from '../../sessions/session-events.js';
import { ServerlessHost } from '../host.js';
import { Invocation } from '../invocation.js';
import type { ConnectionRow } from './connections-table.js';
import { PostedConnection } from './posted-connection.js';
import { PostedSession } from './posted-session.js';
import { memberKey } from './subscriptions-table.js';

/** Deletes what the tables hold of a connection that is closed, and tells its channels. */
@Injectable()
export class Departures implements OnModuleInit {
  constructor(
    private readonly host: ServerlessHost,
    private readonly presence: PresenceTracker,
    private readonly settings: ChannelsSettings,
    private readonly events: SessionEvents,
  ) {}

  onModuleInit(): void {
    this.host.onGone = async (connectionId) => void (await this.depart(connectionId));
  }

  /** Returns the session as it was. Undefined if another invocation has deleted it. */
  async depart(connectionId: string): Promise<PostedSession | undefined> {
    const { outcomes } = Invocation.current;
    const row = await this.host.connections.remove(connectionId);
    if (row === undefined) return undefined;
    const session = this.closedSession(row);
    const channels = [...row.channels.keys()].flatMap((name) => this.known(name));
    outcomes.add('rows_left', await this.removeRows(row));
    // After the rows are gone: whoever is present is read from them.
    for (const channel of channels) await this.presence.leave(session, channel);
    return session;
  }

  private async removeRows({ connectionId, principal: { userId }, channels }: ConnectionRow): Promise<number> {
    const member = memberKey({ connectionId, userId });
    const rows = [...channels].flatMap(([channel, { presence }]) => {
      const companions = presence ? this.known(channel).map(presenceChannelOf) : [];
      return [channel, ...companions].map((each) => ({ channel: each, member }));
    });
    return this.host.subscriptions.removeAll(rows).catch(() => rows.length);
  }

  private closedSession(row: ConnectionRow): PostedSession {
    const connection = new PostedConnection(row.connectionId, Invocation.current, this.host.poster, true);
    return new PostedSession(row, connection, this.events);
  }

  private known(name: string): readonly Channel[] {
    try {
      return [channelNamed(name, this.settings.namespaces)];
    } catch {
      return [];
    }
  }
}
