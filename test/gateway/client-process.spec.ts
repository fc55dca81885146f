import { build, type BuildOptions } from 'esbuild';
import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';
import { bundleOptions } from '../../packages/client/bundle.mjs';
import { freePort } from '../support/free-port.js';
import { runProgram } from '../support/run-program.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { mintToken, startTestServer } from '../support/test-server.js';

/** One client that has a server, and one that has none, with something under way in each. */
const PROGRAM = `
import { once } from 'node:events';
import { WebSocket } from 'ws';
import { createClient } from './index.js';

const [url, away, token] = process.argv.slice(2);
const sockets = [];
class Remembered extends WebSocket {
  constructor(...given) {
    super(...given);
    sockets.push(this);
  }
}
const clients = [url, away].map((one) => createClient({ url: one, token: () => token, WebSocket: Remembered, queue: true }));
for (const client of clients) {
  client.on('error', () => {});
  client.channel('room:lobby', { load: () => new Promise(() => {}), onPresence: () => {} });
  client.request('no.answer').catch(() => {});
}
await clients[0].request('echo');
while (clients[1].getSnapshot().state !== 'waiting') await new Promise((turn) => clients[1].subscribe(turn));
for (const client of clients) client.close();
for (const socket of sockets) if (socket.readyState !== WebSocket.CLOSED) await once(socket, 'close');
console.log(JSON.stringify(process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout')));
// Fires only if something keeps the process.
setTimeout(() => process.exit(3), 10_000).unref();
`;

it('lets a process end after close(), with no timer left', async () => {
  await using server = await startTestServer();
  // Where the program finds `ws`.
  await using folder = await temporaryFolder(resolve('node_modules'));
  const options: BuildOptions = bundleOptions(resolve('packages/client'));
  await build({ ...options, outdir: folder.path, outExtension: { '.js': '.mjs' } });
  const program = join(folder.path, 'program.mjs');
  await writeFile(program, PROGRAM.replace('./index.js', './index.mjs'));
  const away = `ws://127.0.0.1:${await freePort()}/ws`;
  const ended = await runProgram(process.execPath, [program, server.url, away, mintToken()], { cwd: folder.path });
  expect(ended).toEqual({ code: 0, output: '[]\n', errors: '' });
});
