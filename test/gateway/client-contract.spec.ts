import { build } from 'esbuild';
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { ChatModule } from '../../examples/gateway-chat/chat.module.js';
import type { Client, ClientOptions } from '../../packages/client/src/index.js';
import { bundleOptions } from '../../packages/client/bundle.mjs';
import { contractOf } from '../../src/contract-of.js';
import { namespacesFile, type NamespacesFile } from '../support/namespaces-file.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { mintToken, startTestServer, type TestServer } from '../support/test-server.js';

/** An application with the types that its server has written. */
const GOOD = `
import { createClient, type Client, type ClientOptions } from '@gatehouse/client';
import type { ChatPost, Contract } from './messages.js';

export const connect = (options: ClientOptions): Client<Contract> => createClient<Contract>(options);

export async function join(client: Client<Contract>, room: string): Promise<number> {
  const { members } = await client.request('chat.join', { room });
  return members;
}

export function onPosted(client: Client<Contract>, tell: (post: ChatPost) => void): void {
  client.on('chat.posted', (post) => tell(post));
  client.on('chat.posted', ({ text }) => text.toUpperCase());
}

export async function post(client: Client<Contract>, text: string): Promise<number> {
  const { receivers } = await client.request('chat.post', { room: 'lobby', text }, { timeoutMs: 60_000 });
  await client.request('hello');
  return receivers;
}

export function follow(client: Client<Contract>, show: (text: string) => void) {
  const talk = client.channel('talk:lobby', { onMessage: ({ data }) => show(data.text) });
  return async (text: string) => talk.publish({ room: 'lobby', text });
}
`;

/** What must not compile, and the error. */
const BAD = {
  'a request that no gateway handles': [`client.request('chat.joined', { room: 'lobby' })`, 'TS2345'],
  'a request without its data': [`client.request('chat.join')`, 'TS2554'],
  'a request without a field': [`client.request('chat.post', { room: 'lobby' })`, 'TS2345'],
  'a field that there is not': [`client.request('chat.join', { room: 'lobby', chair: 1 })`, 'TS2353'],
  'a field of another type': [`client.request('chat.join', { room: 7 })`, 'TS2322'],
  'a field that the reply has not': [`client.request('chat.join', { room: 'a' }).then(({ size }) => size)`, 'TS2339'],
  'an event that no gateway emits': [`client.on('chat.deleted', () => {})`, 'TS2769'],
  'a field that the event has not': [`client.on('chat.posted', ({ author }) => author)`, 'TS2339'],
  'a channel of no namespace': [`client.channel('talks:lobby')`, 'TS2345'],
  'a publication of another type': [`client.channel('talk:lobby').publish('hi')`, 'TS2345'],
  'a field that the publication has not': [
    `client.channel('talk:lobby', { onMessage: ({ data }) => data.author })`,
    'TS2339',
  ],
} as const;

const HEAD = `import { createClient } from '@gatehouse/client';
import type { Contract } from './messages.js';
const client = createClient<Contract>({ url: 'ws://127.0.0.1/ws' });
`;

const TSCONFIG = {
  extends: resolve('tsconfig.json'),
  compilerOptions: {
    noEmit: true,
    rootDir: '/',
    // A page, which takes less time to check than Node's types.
    lib: ['ES2023', 'ESNext.Disposable', 'DOM'],
    types: [],
    paths: {
      '@gatehouse/client': [resolve('packages/client/src/index.ts')],
      '@gatehouse/protocol': [resolve('packages/protocol/src/protocol.ts')],
    },
  },
  include: ['*.ts'],
};

interface Application {
  connect(options: ClientOptions): Client;
  join(client: Client, room: string): Promise<number>;
  onPosted(client: Client, tell: (post: object) => void): void;
  post(client: Client, text: string): Promise<number>;
  follow(client: Client, show: (text: string) => void): (text: string) => Promise<unknown>;
}

/** @returns the errors: `bad.ts(4): TS2345` */
async function compile(folder: string): Promise<string[]> {
  const command = [resolve('node_modules/typescript/bin/tsc'), '-p', folder, '--pretty', 'false'];
  const output = await new Promise<string>((done) =>
    execFile(process.execPath, command, (_failed, stdout, stderr) => done(stdout + stderr)),
  );
  const lines = output.split('\n').filter((line) => line !== '' && !line.startsWith(' '));
  return lines.map((line) => line.replace(/^.*?([\w.-]+)\((\d+),\d+\): error (TS\d+).*$/, '$1($2): $3'));
}

/** The good application, as a bundler makes it of this library. */
async function bundled(folder: string): Promise<Application> {
  const outfile = join(folder, 'good.mjs');
  const { alias } = bundleOptions(resolve('packages/client'));
  const library = { '@gatehouse/client': resolve('packages/client/src/index.ts') };
  const entryPoints = [join(folder, 'good.ts')];
  await build({ entryPoints, alias: { ...alias, ...library }, bundle: true, format: 'esm', outfile });
  return (await import(outfile)) as Application;
}

describe('a client that is typed by the contract of its server', () => {
  let namespaces: NamespacesFile;
  let server: TestServer;
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let errors: string[];
  beforeAll(async () => {
    namespaces = namespacesFile({ talk: 'subscribe: anyone, publish: anyone, message: ChatPost' });
    server = await startTestServer(namespaces.environment, [ChatModule]);
    folder = await temporaryFolder();
    const messages = (await contractOf(server.app)).get('messages.ts') ?? '';
    const bad =
      HEAD +
      Object.values(BAD)
        .map(([line]) => `void ${line};`)
        .join('\n');
    const files = {
      'messages.ts': messages,
      'good.ts': GOOD,
      'bad.ts': bad,
      'tsconfig.json': JSON.stringify(TSCONFIG),
    };
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder.path, name), text);
    errors = await compile(folder.path);
  });
  afterAll(async () => {
    await server.close();
    namespaces[Symbol.dispose]();
    await folder[Symbol.asyncDispose]();
  });

  it('compiles what the server understands', () => {
    expect(errors.filter((error) => !error.startsWith('bad.ts'))).toEqual([]);
  });

  it.each(Object.entries(BAD))('does not compile %s', (title, [, code]) => {
    const line = HEAD.split('\n').length + Object.keys(BAD).indexOf(title);
    expect(errors.filter((error) => error.startsWith(`bad.ts(${line})`))).toEqual([`bad.ts(${line}): ${code}`]);
  });

  it('says to a real server what the types say', async () => {
    const application = await bundled(folder.path);
    const options = (sub: string): ClientOptions => ({
      url: server.url,
      token: () => mintToken({ sub, roles: ['MEMBER'] }),
      WebSocket,
    });
    const [ann, ben] = [application.connect(options('ann')), application.connect(options('ben'))];
    try {
      expect(await application.join(ann, 'lobby')).toBe(1);
      expect(await application.join(ben, 'lobby')).toBe(2);
      const posted = new Promise((tell) => application.onPosted(ben, tell));
      expect(await application.post(ann, 'hi')).toBe(1);
      expect(await posted).toEqual({ room: 'lobby', text: 'hi' });
      const shown = new Promise((show) => application.follow(ben, show));
      const publish = application.follow(ann, () => {});
      const channel = ben.channel('talk:lobby');
      await expect.poll(() => channel.getSnapshot().state).toBe('live');
      await publish('in the channel');
      expect(await shown).toBe('in the channel');
    } finally {
      ann.close();
      ben.close();
    }
  });
});
