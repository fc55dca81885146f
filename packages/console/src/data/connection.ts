import { createClient, GatehouseError, type Client } from '@gatehouse/client';
import { effect, signal } from '@preact/signals';
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
  if (error instanceof GatehouseError) return `${error.code}: ${error.message}`;
  return error instanceof Error ? error.message : String(error);
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
