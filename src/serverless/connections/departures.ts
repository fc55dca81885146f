import { Injectable, type OnModuleInit } from '@nestjs/common';
import { channelNamed, type Channel } from '../../channels/channel.js';
import { ChannelsSettings } from '../../channels/channels-settings.js';
import { presenceChannelOf, PresenceTracker } from '../../channels/presence/presence-tracker.js';
import { GatewayHooks, type ConnectionHooks, type Disconnection } from '../../dispatch/gateway-hooks.js';
import { SessionEvents } from '../../sessions/session-events.js';
import { ServerlessHost } from '../host.js';
import { Invocation } from '../invocation.js';
import type { ConnectionRow } from './connections-table.js';
import { ABNORMAL, PostedConnection } from './posted-connection.js';
import { PostedSession } from './posted-session.js';
import { memberKey } from './subscriptions-table.js';

/**
 * Deletes what the tables hold of a connection that is closed, and tells its channels and the gateways. Of several
 * invocations that find it closed, the one that deletes the row tells, so that they are told once.
 */
@Injectable()
export class Departures implements OnModuleInit {
  private hooks: ConnectionHooks | undefined;

  constructor(
    private readonly host: ServerlessHost,
    private readonly presence: PresenceTracker,
    private readonly settings: ChannelsSettings,
    private readonly events: SessionEvents,
    private readonly gateways: GatewayHooks,
  ) {}

  onModuleInit(): void {
    this.host.onGone = (connectionId) => this.depart(connectionId, { code: ABNORMAL, reason: '' });
  }

  /**
   * Does nothing if another invocation has deleted the row. The invocation waits for the hooks of gateways.
   *
   * @throws GatehouseError SERVER_BUSY if the row could not be deleted: it is still there, and nobody has been told
   */
  async depart(connectionId: string, disconnection: Disconnection): Promise<void> {
    const invocation = Invocation.current;
    const row = await this.host.connections.remove(connectionId);
    if (row === undefined) return;
    const session = this.closedSession(row);
    const channels = [...row.channels.keys()].flatMap((name) => this.known(name));
    invocation.outcomes.add('rows_left', await this.removeRows(row));
    invocation.track('handleDisconnect', this.tellGateways(session, disconnection));
    // After the rows are gone: whoever is present is read from them.
    for (const channel of channels) await this.presence.leave(session, channel);
  }

  private async tellGateways({ connection }: PostedSession, disconnection: Disconnection): Promise<void> {
    this.hooks ??= this.gateways.of('');
    const failures = await this.hooks.disconnected(connection, disconnection);
    Invocation.current.outcomes.add('hook_failed', failures);
  }

  private async removeRows({ connectionId, principal: { userId }, channels }: ConnectionRow): Promise<number> {
    const member = memberKey({ connectionId, userId });
    const rows = [...channels].flatMap(([channel, { presence }]) => {
      const companions = presence ? this.known(channel).map(presenceChannelOf) : [];
      return [channel, ...companions].map((each) => ({ channel: each, member }));
    });
    return this.host.subscriptions.removeAll(rows);
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
