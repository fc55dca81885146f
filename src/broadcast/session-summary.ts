import type { ChannelHub } from '../channels/channel-hub.js';
import type { Session } from '../sessions/session.js';

/** A session as operators see it. */
export interface SessionSummary {
  readonly sessionId: string;
  /** Null for an anonymous session. */
  readonly userId: string | null;
  readonly roles: readonly string[];
  readonly nodeId: string;
  readonly address: string;
  /** The subprotocol in use. */
  readonly protocol: string;
  /** Milliseconds since 1970. */
  readonly openedAt: number;
  readonly messagesReceived: number;
  readonly messagesSent: number;
  /** Number of channels. */
  readonly subscriptions: number;
  /** Bytes that wait for a slow reader. */
  readonly queuedBytes: number;
}

/** One session in full. */
export interface SessionDetail extends SessionSummary {
  /** Channel pattern → what the token allows there. Null if the token says nothing about channels. */
  readonly channels: Readonly<Record<string, readonly string[]>> | null;
  /** The end of the token, in milliseconds since 1970. Null: never. */
  readonly expiresAt: number | null;
  /** Whether an operator has changed its rights. */
  readonly hasChangedRights: boolean;
  /** Frames that wait for a slow reader, without those in its socket. */
  readonly queuedMessages: number;
  /** Messages of the client that wait to be handled. */
  readonly waitingMessages: number;
  readonly waitingBytes: number;
}

type Counts = Pick<ChannelHub, 'countOf'>;

export function summaryOf(session: Session, nodeId: string, hub: Counts): SessionSummary {
  const { id, principal, roles, address, codec, openedAt, messagesReceived, messagesSent, connection } = session;
  return {
    sessionId: id,
    userId: principal.anonymous ? null : principal.userId,
    roles,
    nodeId,
    address,
    protocol: codec.subprotocol,
    openedAt,
    messagesReceived,
    messagesSent,
    subscriptions: hub.countOf(session),
    queuedBytes: connection.waitingBytes,
  };
}

export function detailOf(session: Session, nodeId: string, hub: Counts): SessionDetail {
  const { principal, connection } = session;
  const { capabilities, expiresAt, asIssued } = principal;
  return {
    ...summaryOf(session, nodeId, hub),
    channels: capabilities === undefined ? null : Object.fromEntries(capabilities),
    expiresAt: expiresAt ?? null,
    hasChangedRights: asIssued !== undefined,
    queuedMessages: connection.waitingFrames,
    waitingMessages: connection.unhandledMessages,
    waitingBytes: connection.unhandledBytes,
  };
}
