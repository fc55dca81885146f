// What it costs that a back end answers a message over HTTP, against a handler of the server: p50 and p99 of a request, in turns.
//
//   npx tsx bench/hooks.ts [requests]
//
// The back end is in this process, beside the client, and answers at once: what is left is the way there and back.
import { BackEnd, hooksFile } from '../test/support/back-end.js';
import { buildServer, ServerProcess } from '../test/support/built-server.js';
import { connect } from '../test/support/test-client.js';
import { TEST_ENVIRONMENT } from '../test/support/test-server.js';

const requests = Number(process.argv[2] ?? 3_000);
const WARM_UP = 500;

await using backEnd = await BackEnd.start();
backEnd.answer = ({ data }) => ({ data: data.data });
using file = hooksFile(backEnd.url, "messages: [{ types: ['order.*'], endpoint: app }]");
await using build = await buildServer();
const environment = { ...TEST_ENVIRONMENT, HOOKS_FILE: file.HOOKS_FILE };
await using server = await ServerProcess.start(build, environment);
await using client = await connect(`ws://127.0.0.1:${await server.port()}/ws`);

const times: Record<'echo' | 'order.echo', number[]> = { echo: [], 'order.echo': [] };
for (let n = -WARM_UP; n < requests; n += 1) {
  for (const type of ['echo', 'order.echo'] as const) {
    const at = performance.now();
    await client.request(type, { text: 'a line of chat' });
    if (n >= 0) times[type].push(performance.now() - at);
  }
}
for (const [type, each] of Object.entries(times)) {
  each.sort((one, other) => one - other);
  const [p50, p99] = [0.5, 0.99].map((share) => each[Math.floor(share * each.length)]?.toFixed(2));
  process.stdout.write(`${type}: p50 ${p50} ms, p99 ${p99} ms\n`);
}
