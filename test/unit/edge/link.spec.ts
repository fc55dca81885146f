import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createClient } from '@gatehouse/client';
import type { WebSocket } from 'ws';
import { loadClientLibrary, type OpenClient } from '../../../src/edge/link/client-library.js';
import { tokenSource } from '../../../src/edge/link/token-source.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

it('asks of the client library only what it has', async () => {
  // Compiled: the server has its own description of the library.
  const open: OpenClient = ({ url, token, WebSocket: socket }) =>
    createClient({ url, token, WebSocket: socket as typeof WebSocket });
  const client = (await loadClientLibrary())({ url: 'ws://127.0.0.1:9/ws', token: async () => 't', WebSocket: Object });
  expect(client.getSnapshot().state).toBe('idle');
  client.close();
  expect(open).toBeTypeOf('function');
});

it('says how to install the client library that is missing, and passes other faults on', async () => {
  const missing = Object.assign(new Error('Cannot find package'), { code: 'ERR_MODULE_NOT_FOUND' });
  await expect(loadClientLibrary(() => Promise.reject(missing))).rejects.toThrow('npm install @gatehouse/client');
  const broken = new Error('Unexpected token');
  await expect(loadClientLibrary(() => Promise.reject(broken))).rejects.toBe(broken);
});

it('reads the file of the token each time, and never presents a token again that was refused', async () => {
  await using folder = await temporaryFolder();
  const tokenFile = join(folder.path, 'token');
  const told: string[] = [];
  const ask = tokenSource({ token: undefined, tokenFile }, (reason) => told.push(reason));
  await expect(ask({ reason: 'connect' })).rejects.toThrow('ENOENT');
  await writeFile(tokenFile, 'first\n');
  expect(await ask({ reason: 'connect' })).toBe('first');
  expect(await ask({ reason: 'connect' })).toBe('first');
  await expect(ask({ reason: 'expiring' })).rejects.toThrow('no newer one');
  expect(told).toEqual([]);
  await expect(ask({ reason: 'refused' })).rejects.toThrow('no newer one');
  expect(told).toEqual(['the token has expired or was refused, and there is no newer one']);
  await writeFile(tokenFile, 'second');
  expect(await ask({ reason: 'refused' })).toBe('second');
  await writeFile(tokenFile, '');
  await expect(ask({ reason: 'connect' })).rejects.toThrow('there is no token');
});
