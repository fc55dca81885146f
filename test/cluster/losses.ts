import { Redis } from 'ioredis';
import { Channels } from '../../src/channels/channels.js';
import { eventually } from '../support/eventually.js';
import type { RedisServer } from '../support/redis-server.js';
import { connect, type Message, type TestClient } from '../support/test-client.js';
import type { TestServer } from '../support/test-server.js';

export const CHANNEL = 'room:x';
export const user = ({ url }: TestServer, sub: string): Promise<TestClient> => connect(url, { claims: { sub } });

export interface State {
  readonly epoch: string;
  readonly seq: number;
  readonly recovered: boolean;
  readonly publications: readonly { readonly seq: number; readonly data: unknown }[];
  readonly gap?: { readonly from: number | null; readonly to: number };
}

export async function subscribe(client: TestClient, since?: object): Promise<State> {
  return (await client.request('subscribe', { channel: CHANNEL, since })).data as State;
}

export async function operate({ port }: RedisServer, ...command: [string, ...string[]]): Promise<void> {
  const client = new Redis(port, '127.0.0.1');
  await client.call(...command);
  client.disconnect();
}

/** Resolves once a replica has so many publications of the one channel there is. */
export async function replicated({ port }: RedisServer, count: number): Promise<void> {
  const client = new Redis(port, '127.0.0.1');
  // A replica of a cluster sends readers to its master otherwise; one of a single Redis does not know the command.
  await client.call('READONLY').catch(() => {});
  await eventually('it is replicated', async () => {
    const lines = await client.info('replication');
    const [log] = await client.keys('*:log');
    const length = log === undefined ? 0 : await client.xlen(log);
    return lines.includes('master_link_status:up') && length === count;
  });
  client.disconnect();
}

/** Publishes, and again until it is acknowledged: that is one publication. */
export async function publish({ app }: TestServer, data: string): Promise<void> {
  const channels = app.get(Channels, { strict: false });
  const isAcknowledged = () =>
    channels.publish(channels.named(CHANNEL), { data, idempotencyKey: data }).then(
      () => true,
      () => false,
    );
  await eventually('it is published', isAcknowledged);
}

/** What a subscriber is told, up to a publication: the data of each, and its gaps. */
export async function toldUntil(client: TestClient, last: unknown): Promise<unknown[]> {
  const told: unknown[] = [];
  for (;;) {
    const message: Message = await client.next();
    if (message.type === 'gap') told.push(message.data);
    if (message.type === 'message') told.push(message.data);
    if (message.type === 'message' && message.data === last) return told;
  }
}
