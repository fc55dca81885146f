/** `npm run example:scene`, and the other examples of state: the server with the example's channels, and its page. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { compileFeatures, openStateSite, STATE_EXAMPLES } from './state-site.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const PORT = process.env.PORT ?? '8080';
const SITE_PORT = process.env.SITE_PORT ?? '3000';

const example = STATE_EXAMPLES.find((name) => name === process.argv[2]);
if (example === undefined) throw new Error(`Name one of ${STATE_EXAMPLES.join(', ')}`);
const folder = `${ROOT}examples/${example}`;
const features = `${ROOT}.cache/${example}.js`;
const hasFeatures = existsSync(`${folder}/server.ts`);
if (hasFeatures) await compileFeatures(`${folder}/server.ts`, features);

const environment = {
  PORT,
  // Everyone who has the page may take part.
  AUTH_MODE: 'optional',
  CHANNELS_FILE: `${folder}/channels.yaml`,
  ALLOWED_ORIGINS: `http://127.0.0.1:${SITE_PORT}`,
  JWT_SECRET: randomBytes(32).toString('hex'),
  ...(hasFeatures && { FEATURES_FILE: features }),
};
const server = spawn(process.execPath, ['--enable-source-maps', `${ROOT}dist/src/main.js`], {
  cwd: ROOT,
  env: { ...process.env, ...environment },
  stdio: 'inherit',
});
// Listened for from the start: a port that is in use ends it at once.
const ended = once(server, 'close');
const site = await openStateSite({ example, server: `ws://127.0.0.1:${PORT}/ws`, port: Number(SITE_PORT) });
process.stdout.write(`Open ${site.url}\n`);

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => server.kill(signal));
const [code] = await ended;
process.exitCode = typeof code === 'number' ? code : 1;
await site[Symbol.asyncDispose]();
