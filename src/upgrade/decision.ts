import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { AddressRecord } from '../access/limits/address-book.js';
import type { Origin } from '../access/limits/address-key.js';
import type { PlaceOwner } from '../access/limits/cluster-connection-limits.js';
import type { Credentials } from '../authentication/credentials.js';
import type { Principal } from '../authentication/principal.js';
import type { CloseName, Subprotocol } from '@gatehouse/protocol';
import type { Codec } from '../protocol/codecs/codec.js';
import type { SessionId } from '../sessions/session.js';
import type { HttpRefusal } from './ladder/refusals.js';

/** An upgrade request, as Node passes it on. */
export interface Upgrade {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  /** The first bytes behind the request. */
  readonly head: Buffer;
  /** Milliseconds since 1970. */
  readonly arrivedAt: number;
}

/** What the policy needs to know about the endpoint of a path. */
export interface EndpointTraits {
  /** Whether it offers permessage-deflate to clients of a subprotocol; undefined: those that offered none. */
  readonly compresses: (subprotocol: Subprotocol | undefined) => boolean;
}

/** The request offers only protocols that this server does not support, so it goes on as plain HTTP. */
export interface NotOurs {
  readonly outcome: 'not ours';
}

/** The client is refused, by an HTTP response or by a completed handshake and a close frame. */
export interface Rejection {
  readonly outcome: 'reject';
  readonly answer: HttpRefusal | CloseAnswer;
}

export interface CloseAnswer {
  readonly close: CloseName;
  readonly reason: string;
  /** Sent as the selected subprotocol: a client that offered some reads the close code only if one is selected. */
  readonly subprotocol: string | undefined;
}

/** The identity of the client, as far as the request shows it. */
export interface Applicant {
  readonly upgrade: Upgrade;
  readonly client: Origin;
  readonly credentials: Credentials;
}

/** The client may have a session. It keeps its places until the session closes or the policy takes them back. */
export interface Acceptance extends Applicant {
  readonly outcome: 'accept';
  readonly path: string;
  readonly sessionId: SessionId;
  readonly principal: Principal;
  /** The selected subprotocol; undefined if the client offered none. */
  readonly subprotocol: Subprotocol | undefined;
  readonly codec: Codec;
  readonly place: AddressRecord;
  /** Its places over all nodes; undefined on a single node. */
  readonly sharedPlace: PlaceOwner | undefined;
  /** Bytes that the client has sent after its request. */
  readonly head: Buffer;
}

export type Decision = Acceptance | Rejection | NotOurs;
