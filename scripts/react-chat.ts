import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { compileChatFeatures, openChatSite } from './react-chat-site.js';

/** Starts the server with the messages and channels of examples/react-chat, and the site that talks to it. */
const ROOT = fileURLToPath(new URL('..', import.meta.url));
const EXAMPLE = `${ROOT}examples/react-chat`;
const FEATURES = `${ROOT}.cache/react-chat.js`;

await compileChatFeatures(FEATURES);
const port = process.env.PORT ?? '8080';
const secret = randomBytes(32).toString('hex');
const environment = {
  JWT_SECRET: secret,
  PORT: port,
  FEATURES_FILE: FEATURES,
  CHANNELS_FILE: `${EXAMPLE}/channels.yaml`,
};
const server = spawn(process.execPath, ['--enable-source-maps', `${ROOT}dist/src/main.js`], {
  cwd: ROOT,
  env: { ...process.env, ...environment },
  stdio: 'inherit',
});
const site = await openChatSite({ server: `http://127.0.0.1:${port}`, secret });
site.printUrls();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => server.kill(signal));
server.once('close', (code) => {
  process.exitCode = code ?? 1;
  void site.close();
});
