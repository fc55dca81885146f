import { spawn } from 'node:child_process';
import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildServer, ServerProcess, type Build } from '../support/built-server.js';
import { childCoverage } from '../support/child-coverage/child-coverage.js';
import { RawClient } from '../support/raw-client.js';
import { connect } from '../support/test-client.js';
import { mintToken, TEST_SECRET } from '../support/test-server.js';

const PRODUCTION = { NODE_ENV: 'production', JWT_SECRET: TEST_SECRET, RECONNECT_WINDOW_MS: '250' };

let build: Build;
beforeAll(async () => {
  build = await buildServer();
});
afterAll(() => build[Symbol.asyncDispose]());

/** What the health check of the image exits with. */
async function probe(PORT: string): Promise<unknown> {
  const child = spawn(process.execPath, [join(build.folder, 'src', 'probe.js')], {
    env: { PORT, ...childCoverage() },
  });
  const [code] = (await once(child, 'close')) as unknown[];
  return code;
}

describe.concurrent('the process', () => {
  it('serves in production with a key, and on SIGTERM lets its clients go and exits with 0', async () => {
    await using server = await ServerProcess.start(build, PRODUCTION);
    const PORT = String(await server.port());
    await using client = await connect(`ws://127.0.0.1:${PORT}/ws`);
    expect(await client.request('echo', 1)).toMatchObject({ type: 'echo_reply', data: 1 });
    expect(await probe(PORT)).toBe(0);
    server.signal('SIGTERM');
    expect(await client.closed).toEqual({ code: 1012, reason: '250' });
    expect(await server.ended).toEqual({ code: 0, signal: null });
    expect(server.errors).toBe('');
    expect(server.output).not.toContain('Ready:');
    expect(await probe(PORT)).toBe(1);
  });

  it('ends at once on a second signal', async () => {
    await using server = await ServerProcess.start(build, { ...PRODUCTION, DRAIN_TIMEOUT_MS: '60000' });
    const port = await server.port();
    // A client that never answers the close frame would hold the drain up for seconds.
    const headers = { Authorization: `Bearer ${mintToken()}` };
    await using client = await RawClient.upgrade(port, { headers });
    await client.answer();
    server.signal('SIGINT');
    await server.wrote(/"cause":"SIGINT","msg":"shutting down;/);
    server.signal('SIGTERM');
    expect(await server.ended).toEqual({ code: 1, signal: null });
  });

  it('leaves in good order when it is told to while it still starts', async () => {
    await using server = await ServerProcess.start(build, { ...PRODUCTION, LOG_LEVEL: 'debug' });
    await server.wrote(/Starting Nest application/);
    server.signal('SIGTERM');
    expect(await server.ended).toEqual({ code: 0, signal: null });
  });

  it('prints a link in development that any client can open', async () => {
    await using server = await ServerProcess.start(build);
    const [, link = ''] = await server.wrote(/^Ready: (\S+)$/m);
    await using client = await connect(link, { claims: false });
    expect(await client.request('hello')).toMatchObject({
      data: { userId: 'developer', roles: expect.arrayContaining(['ADMIN']) as string[] },
    });
    const token = new URL(link).searchParams.get('token') ?? '';
    const logged = server.output.split('\n').filter((line) => line.startsWith('{'));
    expect(logged.length).toBeGreaterThan(0);
    expect(logged.join('\n')).not.toContain(token);
  });
});

describe.concurrent('a process that cannot start', () => {
  it('names every unusable setting in one message and exits with 1', async () => {
    const environment = { NODE_ENV: 'production', PORT: 'http', LOG_LEVEL: 'loud' };
    await using server = await ServerProcess.start(build, environment);
    expect(await server.ended).toEqual({ code: 1, signal: null });
    const [first, ...faults] = server.errors.trim().split('\n');
    expect(first).toBe('Gatehouse cannot start: 3 settings cannot be used');
    expect(faults.map((fault) => fault.trim().split(' ')[1])).toEqual(['PORT', 'LOG_LEVEL', 'JWT_SECRET,']);
    expect(server.output).toBe('');
  });

  it('names the settings whose secret cannot be used, without showing any', async () => {
    const unusable = {
      // A key that is none, a public key as the secret, and a password in an address.
      JWT_PUBLIC_KEY: '-----BEGIN PUBLIC KEY-----\\nabcd\\n-----END PUBLIC KEY-----',
      JWT_SECRET: '-----BEGIN PUBLIC KEY----- of them',
      JWT_JWKS_URL: 'https://me:hunter2@issuer.example/keys',
    };
    await using server = await ServerProcess.start(build, { ...PRODUCTION, ...unusable });
    expect(await server.ended).toEqual({ code: 1, signal: null });
    for (const name of Object.keys(unusable)) expect(server.errors).toContain(`\n  - ${name} must `);
    for (const secret of ['abcd', 'of them', 'hunter2', 'example/keys'])
      expect(server.errors + server.output).not.toContain(secret);
  });

  it('says so when its port is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const PORT = String((other.address() as AddressInfo).port);
    await using server = await ServerProcess.start(build, { ...PRODUCTION, PORT });
    expect(await server.ended).toEqual({ code: 1, signal: null });
    expect(server.errors).toBe(`Port ${PORT} is in use. Stop the program that uses it, or set PORT\n`);
    other.close();
  });
});
