// GATEHOUSE_KEY=… node examples/encrypted-client.mjs "ws://127.0.0.1:8080/ws?token=…"
// The key is one of the server's ENCRYPTION_KEYS.
import { createClient } from '@gatehouse/client';
import { fernet } from '@gatehouse/client/fernet';
import { WebSocket } from 'ws'; // Node 20 has none of its own

const show = (...words) => process.stdout.write(`${words.join(' ')}\n`);
const name = process.env.GATEHOUSE_CHANNEL ?? 'room:lobby';

const client = createClient({
  url: process.argv[2] ?? process.env.GATEHOUSE_URL ?? 'ws://127.0.0.1:8080/ws',
  cipher: fernet(process.env.GATEHOUSE_KEY ?? ''),
  WebSocket,
});
client.on('error', ({ code }) => show(code));

try {
  show('echo', JSON.stringify(await client.request('echo', { text: 'hi' })));
  const channel = client.channel(name, { onMessage: ({ data }) => show('← message', name, data) });
  // Where publications are protected against replay, the time stands in the message.
  await channel.publish('a secret', { replayProtected: true });
  show('published', name);
} finally {
  client.close();
  show('closed', client.getSnapshot().close.code);
}
