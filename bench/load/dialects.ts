import { clientFrame, opcodes } from './frames.js';
import { connectPacket, publishPacket, subscribedPacket, subscribePacket } from './mqtt.js';

/** What differs on the wire between the peers; everything else of a load is the same for all of them. */
export type DialectName =
  | 'gatehouse'
  | 'gatehouse-deflate'
  | 'gatehouse-batch'
  | 'plain'
  | 'plain-deflate'
  | 'nest'
  | 'socket-io'
  | 'mqtt'
  | 'colyseus';

export interface Dialect {
  readonly path: string;
  readonly authenticated: boolean;
  /** What the client offers in `Sec-WebSocket-Protocol`; null: nothing. */
  readonly subprotocol: string | null;
  /** Whether messages travel in binary frames. */
  readonly binary: boolean;
  /** What the client sends after the upgrade. Null: the connection is open after the upgrade. */
  readonly greeting: Greeting | null;
  /** The answer to a heartbeat that travels as a message of one character; null: heartbeats are control frames. */
  readonly heartbeatAnswer: string | null;
  /** Whether the client offers compression; what comes compressed is counted and not inflated. */
  readonly offersDeflate: boolean;
  message(type: string, id: number | null, data: unknown): string | Buffer;
  /** Null where the peer has no channels. */
  readonly channels: ChannelWords | null;
}

export interface Greeting {
  readonly send: string | Buffer;
  /** The connection is open when a message arrives that begins with this. */
  readonly answer: string | Buffer;
}

export interface ChannelWords {
  readonly subscribe: (channel: string, id: number) => string;
  readonly unsubscribe: (channel: string, id: number) => string;
  /** Stands in the answer when the subscription is made. */
  readonly confirmation: string;
  /** Stands in the answer when the subscription has ended. */
  readonly farewell: string;
  readonly publish: (channel: string, data: unknown) => string;
}

function envelope(type: string, id: number | null, data: unknown): string {
  return JSON.stringify(id === null ? { v: 1, type, data } : { v: 1, type, id, data });
}

const plain: Dialect = {
  path: '/ws',
  authenticated: false,
  subprotocol: null,
  binary: false,
  greeting: null,
  heartbeatAnswer: null,
  offersDeflate: false,
  message: envelope,
  channels: null,
};

const gatehouse: Dialect = {
  ...plain,
  authenticated: true,
  channels: {
    subscribe: (channel, id) => envelope('subscribe', id, { channel }),
    unsubscribe: (channel, id) => envelope('unsubscribe', id, { channel }),
    confirmation: '"subscribe_reply"',
    farewell: '"unsubscribe_reply"',
    publish: (channel, data) => envelope('publish', null, { channel, data }),
  },
};

export const dialects: Readonly<Record<DialectName, Dialect>> = {
  plain,
  'plain-deflate': { ...plain, offersDeflate: true },
  gatehouse,
  'gatehouse-deflate': { ...gatehouse, offersDeflate: true },
  'gatehouse-batch': { ...gatehouse, subprotocol: 'v1.json.batch', offersDeflate: true },
  // Each connection has a path of its own, which the matchmaking answers.
  colyseus: { ...plain, binary: true },
  nest: { ...plain, message: (event, _id, data) => JSON.stringify({ event, data }) },
  // The topic stands for "everyone": Mosquitto has no broadcast without a subscription.
  mqtt: {
    ...plain,
    path: '/mqtt',
    subprotocol: 'mqtt',
    binary: true,
    greeting: { send: Buffer.concat([connectPacket(), subscribePacket('everyone')]), answer: subscribedPacket },
    message: (type, id, data) => publishPacket('everyone', envelope(type, id, data)),
  },
  'socket-io': {
    ...plain,
    path: '/socket.io/?EIO=4&transport=websocket',
    // Engine.IO has opened with `0{…}` before this; `40` joins the main namespace and is answered by `40{"sid":…}`.
    greeting: { send: '40', answer: '40' },
    heartbeatAnswer: '3',
    message: (event, _id, data) => `42${JSON.stringify([event, data])}`,
    channels: {
      subscribe: (channel, id) => `42${id}${JSON.stringify(['join', channel])}`,
      unsubscribe: (channel, id) => `42${id}${JSON.stringify(['leave', channel])}`,
      confirmation: '"joined"',
      farewell: '"left"',
      publish: (channel, data) => `42${JSON.stringify(['publish', { channel, data }])}`,
    },
  },
};

/** A message as a frame that a client sends. */
export function messageFrame(dialect: Dialect, ...[type, id, data]: Parameters<Dialect['message']>): Buffer {
  return dataFrame(dialect, dialect.message(type, id, data));
}

export function dataFrame({ binary }: Dialect, body: string | Buffer): Buffer {
  return clientFrame(body, binary ? opcodes.binary : opcodes.text);
}
