// Takes the parameters of wscat that the docs show: connects, sends one message, shows what comes up to its reply, and closes.
import { parseArgs } from 'node:util';
import { WebSocket } from 'ws';

const { values } = parseArgs({
  options: {
    connect: { type: 'string', short: 'c', default: '' },
    subprotocol: { type: 'string', short: 's', multiple: true, default: [] },
    execute: { type: 'string', short: 'x', default: '' },
  },
});
const socket = new WebSocket(values.connect, values.subprotocol);
socket.on('open', () => socket.send(values.execute));
socket.on('message', (/** @type {Buffer} */ bytes) => {
  process.stdout.write(`${bytes.toString()}\n`);
  const { id, type } = JSON.parse(bytes.toString());
  if (id !== JSON.parse(values.execute).id) return;
  if (type === 'error') process.exitCode = 1;
  socket.close(1000);
});
socket.on('error', (error) => {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
});
