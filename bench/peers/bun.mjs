// Runs under Bun, whose server is uWebSockets: the best that C++ does with the same messages.
const encode = (message) => JSON.stringify({ v: 1, ...message });

const handlers = new Map([
  ['echo', (client, { id, data }) => client.send(encode({ type: 'echo_reply', id, data }))],
  ['broadcast', (_client, { data }) => server.publish('everyone', encode({ type: 'broadcast', data }))],
]);

const server = Bun.serve({
  hostname: '127.0.0.1',
  port: Number(process.env.PORT),
  fetch: (request, http) => (http.upgrade(request) ? undefined : new Response('', { status: 426 })),
  websocket: {
    open: (client) => client.subscribe('everyone'),
    message: (client, raw) => {
      const message = JSON.parse(raw);
      handlers.get(message.type)?.(client, message);
    },
  },
});
process.on('SIGUSR2', () => Bun.gc(true));
console.log(`ready bun ${Bun.version}`);
