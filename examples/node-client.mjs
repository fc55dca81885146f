// node examples/node-client.mjs "ws://127.0.0.1:8080/ws?token=…"
// or: GATEHOUSE_URL=ws://127.0.0.1:8080/ws GATEHOUSE_TOKEN=… node examples/node-client.mjs
import { createClient } from '@gatehouse/client';
import { WebSocket } from 'ws'; // Node 20 has none of its own

const show = (...words) => process.stdout.write(`${words.join(' ')}\n`);

const client = createClient({
  url: process.argv[2] ?? process.env.GATEHOUSE_URL ?? 'ws://127.0.0.1:8080/ws',
  token: process.env.GATEHOUSE_TOKEN,
  WebSocket,
});
for (const type of ['broadcast', 'direct_message'])
  client.on(type, (data) => show('←', JSON.stringify({ type, data })));

async function request(type, data) {
  show('→', JSON.stringify({ type, data }));
  const reply = await client.request(type, data);
  show('←', JSON.stringify({ type: `${type}_reply`, data: reply }));
  return reply;
}

try {
  const { userId } = await request('hello');
  await request('echo', { text: 'hi' });
  await request('broadcast', 'hello, everyone');
  await request('send_message', { targetUserId: userId, message: 'a note to myself' });
} finally {
  client.close();
  show('closed', client.getSnapshot().close.code);
}
