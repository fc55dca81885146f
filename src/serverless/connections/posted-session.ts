import { CODECS } from '../../protocol/codecs/subprotocols.js';
import { FrameFormat } from '../../sessions/frame-format.js';
import type { ConnectionLifetime } from '../../sessions/connection-lifetime.js';
import { Session, type SentReporter, type SessionId } from '../../sessions/session.js';
import { CONNECTION_LIFE_MS, IDLE_LIMIT_MS } from '../tables.js';
import type { ChannelMark, ConnectionRow } from './connections-table.js';
import type { PostedConnection } from './posted-connection.js';

/** API Gateway carries no binary frames, and compresses nothing. */
const FORMAT = new FrameFormat(CODECS['v1.json']);
const LIFETIME: ConnectionLifetime = { idleMs: IDLE_LIMIT_MS, maxAgeMs: CONNECTION_LIFE_MS };

/** The session of one client during one invocation. Its id is the id of its connection at API Gateway. */
export class PostedSession extends Session {
  readonly connectedAt: number;
  /** The channels of the connection, as its row had them and as this invocation has changed them. */
  readonly channels: Map<string, ChannelMark>;

  constructor(
    row: ConnectionRow,
    readonly posted: PostedConnection,
    events: SentReporter,
  ) {
    const { connectionId, principal, address, connectedAt, channels } = row;
    super(connectionId as SessionId, { principal, connection: posted.asConnection, format: FORMAT, address, events });
    this.connectedAt = connectedAt;
    this.channels = new Map(channels);
  }

  override get lifetime(): ConnectionLifetime {
    return LIFETIME;
  }
}
