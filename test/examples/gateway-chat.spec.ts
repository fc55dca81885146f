import { cp, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildServer, ServerProcess, type Build } from '../support/built-server.js';
import { connect } from '../support/test-client.js';
import { TEST_SECRET } from '../support/test-server.js';

const MODULES = 'src/gateways/gateways.module.ts';

/** A copy of the project with the example in its place, as its README says. */
let project: string;
let build: Build;
let server: ServerProcess;
let url: string;

beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), 'gatehouse-chat-'));
  for (const part of ['src', 'config', 'package.json', 'tsconfig.json', 'tsconfig.build.json']) {
    await cp(part, join(project, part), { recursive: true });
  }
  await symlink(resolve('node_modules'), join(project, 'node_modules'));
  for (const file of await readdir('examples/gateway-chat')) {
    if (file.endsWith('.ts')) await cp(`examples/gateway-chat/${file}`, join(project, 'src/gateways/chat', file));
  }
  await addTheTwoLines(join(project, MODULES));
  build = await buildServer(project);
  server = await ServerProcess.start(build, { JWT_SECRET: TEST_SECRET, NODE_ENV: 'test' });
  url = `ws://127.0.0.1:${await server.port()}/ws`;
});

afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
  await build?.[Symbol.asyncDispose]();
  await rm(project, { recursive: true, force: true });
});

describe('the example gateway, copied into the server', () => {
  it('tells the other members of a room what one of them posts', async () => {
    await using ann = await connect(url, { claims: { sub: 'ann', roles: ['MEMBER'] } });
    await using ben = await connect(url, { claims: { sub: 'ben', roles: ['MEMBER'] } });
    expect(await ann.request('chat.join', { room: 'lobby' })).toMatchObject({ data: { members: 1 } });
    expect(await ben.request('chat.join', { room: 'lobby' })).toMatchObject({ data: { members: 2 } });

    const reply = await ann.request('chat.post', { room: 'lobby', text: 'hi' });
    expect(reply).toMatchObject({ type: 'chat.post_reply', data: { receivers: 1 } });
    expect(await ben.next()).toMatchObject({
      type: 'chat.posted',
      data: { room: 'lobby', text: 'hi' },
      from: { userId: 'ann' },
    });
    expect(ann.unread).toEqual([]);
  });

  it('forgets members who leave and members who disconnect', async () => {
    await using ann = await connect(url, { claims: { sub: 'ann', roles: ['MEMBER'] } });
    await using ben = await connect(url, { claims: { sub: 'ben', roles: ['MEMBER'] } });
    await using eve = await connect(url, { claims: { sub: 'eve', roles: ['MEMBER'] } });
    for (const client of [ann, ben, eve]) await client.request('chat.join', { room: 'hall' });
    expect(await ben.request('chat.leave', { room: 'hall' })).toMatchObject({ type: 'chat.leave_reply' });
    eve.socket.close();
    await eve.closed;
    await expect
      .poll(async () => (await ann.request('chat.post', { room: 'hall', text: 'anyone?' })).data)
      .toEqual({ receivers: 0 });
  });

  it('refuses a post from outside, an unusable room name, and whoever is no MEMBER', async () => {
    await using ann = await connect(url, { claims: { roles: ['MEMBER'] } });
    const post = { room: 'cellar', text: 'hi' };
    expect(await ann.request('chat.post', post)).toMatchObject({ type: 'error', code: 'NOT_IN_ROOM' });
    const invalid = await ann.request('chat.join', { room: 'a room' });
    expect(invalid).toMatchObject({ code: 'VALIDATION_FAILED', details: { room: [expect.any(String)] } });
    await using guest = await connect(url, { claims: { roles: [] } });
    expect(await guest.request('chat.join', { room: 'lobby' })).toMatchObject({ code: 'FORBIDDEN' });
  });

  it('bounds the rooms of one session', async () => {
    await using ann = await connect(url, { claims: { roles: ['MEMBER'] } });
    for (let room = 0; room < 20; room += 1) await ann.request('chat.join', { room: `room-${room}` });
    expect(await ann.request('chat.join', { room: 'one-more' })).toMatchObject({ code: 'ROOM_LIMIT_REACHED' });
  });
});

async function addTheTwoLines(path: string): Promise<void> {
  const before = await readFile(path, 'utf8');
  // Whoever has followed the README has them already.
  if (before.includes('ChatModule')) return;
  const after = before
    .replace('import { DirectModule }', "import { ChatModule } from './chat/chat.module.js';\nimport { DirectModule }")
    .replace('ChannelsGatewayModule]', 'ChannelsGatewayModule, ChatModule]');
  expect(after.match(/ChatModule/g)).toHaveLength(2);
  await writeFile(path, after);
}
