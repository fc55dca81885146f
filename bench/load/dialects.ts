/** What differs on the wire between the peers; everything else of a load is the same for all of them. */
export type DialectName = 'gatehouse' | 'gatehouse-deflate' | 'plain' | 'plain-deflate' | 'nest' | 'socket-io';

export interface Dialect {
  readonly path: string;
  readonly authenticated: boolean;
  /** Sent after the upgrade; the connection counts as open only when an answer came. Null: the upgrade is all. */
  readonly greeting: string | null;
  /** The answer to a heartbeat that travels as a message of one character; null: heartbeats are control frames. */
  readonly heartbeatAnswer: string | null;
  /** Whether the client offers compression; what comes compressed is counted and not inflated. */
  readonly offersDeflate: boolean;
  message(type: string, id: number | null, data: unknown): string;
  /** Null where the peer has no channels. */
  readonly channels: ChannelWords | null;
}

export interface ChannelWords {
  subscribe(channel: string, id: number): string;
  /** Stands in the answer when the subscription is made. */
  readonly confirmation: string;
  publish(channel: string, data: unknown): string;
}

function envelope(type: string, id: number | null, data: unknown): string {
  return JSON.stringify(id === null ? { v: 1, type, data } : { v: 1, type, id, data });
}

const plain: Dialect = {
  path: '/ws',
  authenticated: false,
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
    confirmation: '"subscribe_reply"',
    publish: (channel, data) => envelope('publish', null, { channel, data }),
  },
};

export const dialects: Readonly<Record<DialectName, Dialect>> = {
  plain,
  'plain-deflate': { ...plain, offersDeflate: true },
  gatehouse,
  'gatehouse-deflate': { ...gatehouse, offersDeflate: true },
  nest: { ...plain, message: (event, _id, data) => JSON.stringify({ event, data }) },
  'socket-io': {
    path: '/socket.io/?EIO=4&transport=websocket',
    authenticated: false,
    // Engine.IO has opened with `0{…}` before this; `40` joins the main namespace and is answered by `40{"sid":…}`.
    greeting: '40',
    heartbeatAnswer: '3',
    offersDeflate: false,
    message: (event, _id, data) => `42${JSON.stringify([event, data])}`,
    channels: {
      subscribe: (channel, id) => `42${id}${JSON.stringify(['join', channel])}`,
      confirmation: '"joined"',
      publish: (channel, data) => `42${JSON.stringify(['publish', { channel, data }])}`,
    },
  },
};
