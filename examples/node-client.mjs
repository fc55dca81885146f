// node examples/node-client.mjs "ws://127.0.0.1:8080/ws?token=…"
// or: GATEHOUSE_URL=ws://127.0.0.1:8080/ws GATEHOUSE_TOKEN=… node examples/node-client.mjs
import { once } from 'node:events';
import { WebSocket } from 'ws';

const url = process.argv[2] ?? process.env.GATEHOUSE_URL ?? 'ws://127.0.0.1:8080/ws';
const token = process.env.GATEHOUSE_TOKEN;
const show = (...words) => process.stdout.write(`${words.join(' ')}\n`);

const socket = new WebSocket(url, 'v1.json', token ? { headers: { authorization: `Bearer ${token}` } } : {});
socket.on('error', ({ message }) => show(message));
socket.on('close', (code, reason) => {
  show('closed', code, reason);
  if (code !== 1000) process.exit(1);
});

/** Requests that wait for their answer, by id. A message without a known id was sent by somebody else. */
const waiting = new Map();
socket.on('message', (/** @type {Buffer} */ bytes) => {
  show('←', bytes);
  const message = JSON.parse(bytes.toString());
  const { resolve, reject } = waiting.get(message.id) ?? {};
  waiting.delete(message.id);
  if (message.type === 'error') reject?.(new Error(`${message.code}: ${message.message}`));
  else resolve?.(message.data);
});

function request(type, data) {
  const id = crypto.randomUUID();
  const text = JSON.stringify({ type, id, data });
  show('→', text);
  socket.send(text);
  return new Promise((resolve, reject) => waiting.set(id, { resolve, reject }));
}

await once(socket, 'open');
const { userId } = await request('hello');
await request('echo', { text: 'hi' });
await request('broadcast', 'hello, everyone');
await request('send_message', { targetUserId: userId, message: 'a note to myself' });
socket.close(1000);
