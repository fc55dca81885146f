import { dialects, type ChannelWords } from './dialects.js';
import { clientFrame } from './frames.js';
import type { DialectName } from './dialects.js';
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
  await Promise.all(clients.map((client, index) => subscribe(client, dialect, channelsOf(index))));
}

function subscribe(client: RawClient, dialect: DialectName, channels: readonly string[]): Promise<void> {
  const words = channelWordsOf(dialect);
  const { heartbeatAnswer } = dialects[dialect];
  return new Promise((resolve, reject) => {
    let missing = channels.length;
    const finish = (complaint?: string): void => {
      clearTimeout(deadline);
      client.onBody = null;
      client.frames.keepBodies = false;
      if (complaint === undefined) resolve();
      else reject(new Error(complaint));
    };
    const deadline = setTimeout(() => finish(`${missing} subscriptions were not answered`), deadlineMs);
    client.frames.keepBodies = true;
    client.onBody = (body) => {
      const text = body.toString();
      if (text.length === 1) return client.send(clientFrame(heartbeatAnswer ?? ''));
      if (!text.includes(words.confirmation)) return finish(`unexpected answer: ${text.slice(0, 200)}`);
      missing -= 1;
      if (missing === 0) finish();
    };
    client.send(Buffer.concat(channels.map((channel, id) => clientFrame(words.subscribe(channel, id)))));
  });
}
