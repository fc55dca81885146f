/** `npm run example:edge`: a centre, an edge with sensors, the link between them, and the page of both. */
import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { loadSettings } from '../config/settings.js';
import { TokenMinter } from '../src/authentication/token-minter.js';
import { TcpProxy } from '../test/support/tcp-proxy.js';
import { openEdgeSite } from './edge-site.js';
import { compileFeatures } from './state-site.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const PORT = process.env.PORT ?? '8080';
const EDGE_PORT = process.env.EDGE_PORT ?? '8081';
const SITE_PORT = process.env.SITE_PORT ?? '3000';
const FOLDER = `${ROOT}examples/edge`;
const STORE = `${ROOT}.cache/edge-store`;
const FEATURES = `${ROOT}.cache/edge.js`;
const A_DAY_S = 86_400;

await compileFeatures(`${FOLDER}/server.ts`, FEATURES);
mkdirSync(STORE, { recursive: true });
const link = await TcpProxy.start(Number(PORT));
const ofBoth = {
  // Everyone who has the page may look, and every sensor may send.
  AUTH_MODE: 'optional',
  CHANNELS_FILE: `${FOLDER}/channels.yaml`,
  ALLOWED_ORIGINS: `http://127.0.0.1:${SITE_PORT}`,
  JWT_SECRET: randomBytes(32).toString('hex'),
};
const { authentication } = loadSettings(ofBoth);
const token = new TokenMinter(authentication).mint({ sub: 'line-1', roles: ['EDGE'], expiresInSeconds: A_DAY_S });

const servers = [
  start({ PORT, SERVER_ID: 'centre', EDGE_CENTRE: 'on' }),
  start({
    PORT: EDGE_PORT,
    SERVER_ID: 'edge',
    FEATURES_FILE: FEATURES,
    EDGE_UPSTREAM: `ws://127.0.0.1:${link.port}/ws`,
    EDGE_TOKEN: token,
    EDGE_DIR: STORE,
    EDGE_FILE: `${FOLDER}/edge.yaml`,
  }),
];
// Listened for from the start: a port that is in use ends a server at once.
const ended = servers.map((server) => once(server, 'close'));
const edge = `ws://127.0.0.1:${EDGE_PORT}/ws`;
const site = await openEdgeSite({ link, edge, centre: `ws://127.0.0.1:${PORT}/ws`, port: Number(SITE_PORT) });
process.stdout.write(`Open ${site.url}\n`);

function start(environment: Record<string, string>): ChildProcess {
  return spawn(process.execPath, ['--enable-source-maps', `${ROOT}dist/src/main.js`], {
    cwd: ROOT,
    env: { ...process.env, ...ofBoth, ...environment },
    stdio: 'inherit',
  });
}

const stop = (signal: NodeJS.Signals): void => servers.forEach((server) => server.kill(signal));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop(signal));
const [code] = await Promise.race(ended);
process.exitCode = typeof code === 'number' ? code : 1;
stop('SIGTERM');
await Promise.all(ended);
await site[Symbol.asyncDispose]();
await link[Symbol.asyncDispose]();
