import { createClient, GatehouseError, type Client } from '@gatehouse/client';
import { effect, signal } from '@preact/signals';
import type { HelloReply } from '@gatehouse/protocol';
import { bytes } from '../ui/text.js';
import { token } from './token.js';

/** The state of the page's own connection. */
export const connectionState = signal('idle');
let client: Client | undefined;

/** The page's own WebSocket connection, for taps and for messages to try. It is opened on first use. */
export function connection(): Client {
  client ??= open(token.value);
  return client;
}

export function sentenceOf(error: unknown): string {
  if (!(error instanceof GatehouseError)) return error instanceof Error ? error.message : String(error);
  const { code, message, details = {} } = error;
  const reasons = Object.values(details).flat();
  if (reasons.length > 0) return `Not accepted: ${reasons.join('; ')} (${code})`;
  // Errors of the client library itself have no text.
  return message === code ? code : `${message} (${code})`;
}

/** What went wrong with a request, with the limit that it was over. */
export async function reasonOf(error: unknown): Promise<string> {
  const sentence = sentenceOf(error);
  if (!(error instanceof GatehouseError) || error.code !== 'MESSAGE_TOO_LARGE') return sentence;
  try {
    const { limits } = (await connection().request('hello')) as HelloReply;
    return `${sentence}. The limit is ${bytes(limits.maxMessageBytes)}.`;
  } catch {
    // The limit is only a help.
    return sentence;
  }
}

function open(own: string): Client {
  const place = document.documentElement.dataset['ws'] ?? '/ws';
  const url = new URL(place, location.href);
  url.protocol = url.protocol.replace('http', 'ws');
  const created = createClient({ url: url.href, token: own });
  created.subscribe(() => (connectionState.value = created.getSnapshot().state));
  return created;
}

// A connection belongs to its token.
effect(() => {
  if (token.value !== '' && client === undefined) return;
  client?.close();
  client = undefined;
  connectionState.value = 'idle';
});
