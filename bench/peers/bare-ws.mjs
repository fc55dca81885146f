// The yardstick: what a few lines over `ws` cost, with the same messages as Gatehouse.
import { createRequire } from 'node:module';
import { WebSocketServer } from 'ws';

const { version } = createRequire(import.meta.url)('ws/package.json');
const perMessageDeflate = process.env.COMPRESS === '1' && { threshold: 0 };
const server = new WebSocketServer({ host: '127.0.0.1', port: Number(process.env.PORT), perMessageDeflate });

const handlers = new Map([
  ['echo', (client, { id, data }) => client.send(JSON.stringify({ v: 1, type: 'echo_reply', id, data }))],
  ['broadcast', (_client, { data }) => sendToAll(JSON.stringify({ v: 1, type: 'broadcast', data }))],
]);

function sendToAll(text) {
  for (const client of server.clients) client.send(text);
}

server.on('connection', (client) => {
  client.on('error', (error) => console.error(error.message));
  client.on('message', (raw) => {
    const message = JSON.parse(raw);
    handlers.get(message.type)?.(client, message);
  });
});
server.on('listening', () => console.log(`ready ws ${version}`));
