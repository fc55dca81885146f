// @module-tag python
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { spawnBound } from '../support/bound-process.js';
import { eventually } from '../support/eventually.js';
import { fetch } from '../support/fetch.js';
import { freePort } from '../support/free-port.js';
import { requireProgram } from '../support/require-program.js';
import { connect, open } from '../support/test-client.js';
import { startTestServer } from '../support/test-server.js';

const SECRET = `whsec_${Buffer.alloc(32, 3).toString('base64')}`;
const HOOKS = `connect: { endpoint: app }
messages: [{ types: ['order.*'], endpoint: app }]
events: { endpoint: app, types: [session.opened], wait: 1ms }
`;

class PythonBackEnd implements Disposable {
  printed = '';
  private readonly child: ChildProcess;

  constructor(readonly port: number) {
    const env = { ...process.env, HOOK_SECRET: SECRET };
    const script = ['examples/backend_python.py', String(port)];
    this.child = spawnBound(requireProgram('python'), script, { env, stdio: ['ignore', 'pipe', 'inherit'] });
    this.child.stdout?.on('data', (text: Buffer) => (this.printed += text.toString()));
  }

  /** @returns whether it listens, and refuses what nobody signed */
  async refuses(): Promise<boolean> {
    const asked = fetch(`http://127.0.0.1:${this.port}/`, { method: 'POST', body: '{}' });
    return asked.then(
      ({ status }) => status === 401,
      () => false,
    );
  }

  [Symbol.dispose](): void {
    this.child.kill('SIGKILL');
  }
}

it('the back end in Python decides a connect, answers a message, sends to others, and hears of sessions', async () => {
  using backEnd = new PythonBackEnd(await freePort());
  await eventually('it listens', () => backEnd.refuses());
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-hooks-'));
  const file = join(folder, 'hooks.yaml');
  const endpoint = `{ url: 'http://127.0.0.1:${backEnd.port}/', secrets: [${SECRET}], timeout: 30s }`;
  writeFileSync(file, `endpoints:\n  app: ${endpoint}\n${HOOKS}`);
  await using server = await startTestServer({ HOOKS_FILE: file, UPGRADE_TIMEOUT_MS: '60000' });
  rmSync(folder, { recursive: true });

  expect(await open(server.url, { claims: { sub: 'mallory' } }).closed).toMatchObject({ code: 4403 });
  await using alice = await connect(server.url);
  await alice.request('subscribe', { channel: 'feed:orders' });
  alice.send({ type: 'order.place', id: 1, data: { tea: 2 } });
  expect(await alice.next()).toMatchObject({ type: 'order.placed', data: { tea: 2 } });
  expect(await alice.next()).toMatchObject({ type: 'order.place_reply', id: 1, data: { taken: true } });
  expect(await alice.request('order.drink')).toMatchObject({ code: 'UNKNOWN_ORDER' });
  await eventually('it has heard of alice', () => backEnd.printed.includes("session.opened {'session':"));
});
