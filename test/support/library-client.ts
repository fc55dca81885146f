import type { Position } from '@gatehouse/protocol';
import { WebSocket } from 'ws';
import { createClient, type Client, type ClientOptions, type GatehouseError } from '../../packages/client/src/index.js';
import { eventually } from './eventually.js';
import { mintToken } from './test-server.js';

export const ROOM = 'room:lobby';

export interface LibraryClient extends AsyncDisposable {
  readonly client: Client;
  /** What `client.on('error')` got. */
  readonly errors: GatehouseError[];
  /** Why the client asked for a token, each time. */
  readonly reasons: string[];
}

/** A client of `@gatehouse/client` on the package `ws`. Each of its tokens has the number of the call as its `jti`. */
export function useLibrary(
  url: string,
  { claims, ...options }: Partial<ClientOptions> & { readonly claims?: object } = {},
): LibraryClient {
  const reasons: string[] = [];
  const errors: GatehouseError[] = [];
  const token: ClientOptions['token'] = ({ reason }) => {
    reasons.push(reason);
    return mintToken({ jti: String(reasons.length), ...claims });
  };
  const client = createClient({ url, token, WebSocket, ...options });
  client.on('error', (error) => errors.push(error));
  return { client, errors, reasons, [Symbol.asyncDispose]: async () => client.close() };
}

/** Reads a channel, and writes down what it is told. */
export function follow({ client }: LibraryClient) {
  const shown: unknown[] = [];
  const loads: string[] = [];
  const channel = client.channel(ROOM, {
    load: async ({ reason }) => {
      loads.push(reason);
      const { epoch, seq } = (await client.request('history', { channel: ROOM, limit: 1 })) as Position;
      return { epoch, seq };
    },
    onMessage: ({ data }) => shown.push(data),
  });
  const isLive = (): Promise<void> => eventually('the channel is live', () => channel.getSnapshot().state === 'live');
  return { channel, shown, loads, isLive };
}
