/** `npm run example:orders`: PostgreSQL, Gatehouse, and the API and page of examples/orders. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { openOrdersSite } from '../examples/orders/site.js';
import { OUTBOX_SCHEMA } from '../src/outbox/schema.js';
import { PostgresServer } from '../test/support/postgres-server.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const PORT = process.env.PORT ?? '8080';
const SITE_PORT = process.env.SITE_PORT ?? '3000';

const given = process.env.DATABASE_URL;
const own = given === undefined ? await PostgresServer.start() : undefined;
const database = given ?? own?.url ?? '';
const client = new pg.Client({ connectionString: database });
await client.connect();
await client.query(OUTBOX_SCHEMA);
await client.end();

const environment = {
  PORT,
  POSTGRES_URL: database,
  // Whoever has the page may read.
  AUTH_MODE: 'optional',
  CHANNELS_FILE: `${ROOT}examples/orders/channels.yaml`,
  ALLOWED_ORIGINS: `http://127.0.0.1:${SITE_PORT}`,
  JWT_SECRET: randomBytes(32).toString('hex'),
};
const server = spawn(process.execPath, ['--enable-source-maps', `${ROOT}dist/src/main.js`], {
  cwd: ROOT,
  env: { ...process.env, ...environment },
  stdio: 'inherit',
});
// Listened for from the start: a port that is in use ends it at once.
const ended = once(server, 'close');
const site = await openOrdersSite({ database, gatehouse: `ws://127.0.0.1:${PORT}/ws` });
await site.listen(SITE_PORT, '127.0.0.1');
process.stdout.write(`Orders: http://127.0.0.1:${SITE_PORT}\n`);

// Gatehouse ends by itself on these; what it stands on ends after it.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => server.kill(signal));
const [code] = await ended;
process.exitCode = typeof code === 'number' ? code : 1;
await site.close();
await own?.[Symbol.asyncDispose]();
