import { dialects, type ChannelWords, type DialectName } from './dialects.js';
import { clientFrame } from './frames.js';
import type { RawClient } from './raw-client.js';

/** Of all together: they subscribe at one time, as after a restart, each with all its requests outstanding. */
const deadlineMs = 120_000;

export function channelWordsOf(dialect: DialectName): ChannelWords {
  const { channels } = dialects[dialect];
  if (!channels) throw new Error(`${dialect} has no channels`);
  return channels;
}

/** Resolves when every client is in every channel that `channelsOf` names for it; each answer is read. */
export async function subscribeAll(
  clients: readonly RawClient[],
  dialect: DialectName,
  channelsOf: (index: number) => readonly string[],
): Promise<void> {
  const { subscribe, confirmation } = channelWordsOf(dialect);
  const requestsOf = (index: number): string[] => channelsOf(index).map((channel, id) => subscribe(channel, id));
  await Promise.all(
    clients.map((client, index) => ask(client, dialect, { requests: requestsOf(index), confirmation })),
  );
}

/** The opposite of `subscribeAll`. */
export async function unsubscribeAll(
  clients: readonly RawClient[],
  dialect: DialectName,
  channelsOf: (index: number) => readonly string[],
): Promise<void> {
  const { unsubscribe, farewell: confirmation } = channelWordsOf(dialect);
  const requestsOf = (index: number): string[] => channelsOf(index).map((channel, id) => unsubscribe(channel, id));
  await Promise.all(
    clients.map((client, index) => ask(client, dialect, { requests: requestsOf(index), confirmation })),
  );
}

interface Asked {
  readonly requests: readonly string[];
  /** Stands in every answer. */
  readonly confirmation: string;
}

/** Sends all requests at once and reads as many answers. */
function ask(client: RawClient, dialect: DialectName, { requests, confirmation }: Asked): Promise<void> {
  const { heartbeatAnswer } = dialects[dialect];
  return new Promise((resolve, reject) => {
    let missing = requests.length;
    const finish = (complaint?: string): void => {
      clearTimeout(deadline);
      client.onBody = null;
      client.frames.keepBodies = false;
      if (complaint === undefined) resolve();
      else reject(new Error(complaint));
    };
    const deadline = setTimeout(
      () => finish(`${missing} of ${requests.length} requests were not answered`),
      deadlineMs,
    );
    client.frames.keepBodies = true;
    client.onBody = (body) => {
      const text = body.toString();
      if (text.length === 1) return client.send(clientFrame(heartbeatAnswer ?? ''));
      if (!text.includes(confirmation)) return finish(`unexpected answer: ${text.slice(0, 200)}`);
      missing -= 1;
      if (missing === 0) finish();
    };
    if (missing === 0) return finish();
    client.send(Buffer.concat(requests.map((request) => clientFrame(request))));
  });
}
