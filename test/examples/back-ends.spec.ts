import { spawnSync, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { hooksFile } from '../support/back-end.js';
import { spawnBound } from '../support/bound-process.js';
import { eventually } from '../support/eventually.js';
import { fetch } from '../support/fetch.js';
import { freePort } from '../support/free-port.js';
import type { ProgramName } from '../support/programs.js';
import { requireProgram } from '../support/require-program.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { connect, open } from '../support/test-client.js';
import { startTestServer } from '../support/test-server.js';

const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const HOOKS = `connect: { endpoint: app }
messages: [{ types: ['order.*'], endpoint: app }]
events: { endpoint: app, types: [session.opened], wait: 1ms }
`;
const MAX_LINES = 60;

interface Example {
  readonly program: ProgramName;
  readonly file: string;
  /** The command that serves on this port. `folder` is for what it compiles. */
  readonly command: (port: number, folder: string) => readonly [command: string, ...parameters: string[]];
}

const EXAMPLES: readonly Example[] = [
  {
    program: 'python',
    file: 'examples/backend_python.py',
    command: (port) => [requireProgram('python'), 'examples/backend_python.py', String(port)],
  },
  {
    program: 'php',
    file: 'examples/backend.php',
    command: (port) => [requireProgram('php'), '-S', `127.0.0.1:${port}`, 'examples/backend.php'],
  },
  {
    program: 'go',
    file: 'examples/backend.go',
    command: (port, folder) => [compiledGo(folder), String(port)],
  },
];

/** `go run` would leave the program behind when it is killed. */
function compiledGo(folder: string): string {
  const binary = join(folder, 'backend');
  const env = { ...process.env, GOCACHE: join(folder, 'cache'), GOFLAGS: '-mod=mod', GOTOOLCHAIN: 'local' };
  const build = spawnSync(requireProgram('go'), ['build', '-o', binary, 'examples/backend.go'], {
    encoding: 'utf8',
    env,
  });
  if (build.status !== 0) throw new Error(build.stderr);
  return binary;
}

class BackEndProcess implements Disposable {
  printed = '';
  private readonly child: ChildProcess;

  constructor(
    readonly url: string,
    [command, ...parameters]: readonly [string, ...string[]],
  ) {
    const env = { ...process.env, HOOK_SECRET: SECRET };
    this.child = spawnBound(command, parameters, { env, stdio: ['ignore', 'pipe', 'ignore'] });
    this.child.stdout?.on('data', (text: Buffer) => (this.printed += text.toString()));
  }

  /** @returns whether it listens, and refuses what nobody signed */
  async refuses(): Promise<boolean> {
    return fetch(this.url, { method: 'POST', body: '{}' }).then(
      ({ status }) => status === 401,
      () => false,
    );
  }

  [Symbol.dispose](): void {
    this.child.kill('SIGKILL');
  }
}

describe.each(EXAMPLES)('$file', ({ program, file, command }) => {
  it(`has at most ${MAX_LINES} lines`, () => {
    expect(readFileSync(file, 'utf8').trimEnd().split('\n').length).toBeLessThanOrEqual(MAX_LINES);
  });

  it('decides a connect, answers a message, sends to others, and hears of sessions', { tags: [program] }, async () => {
    await using folder = await temporaryFolder();
    const port = await freePort();
    using backEnd = new BackEndProcess(`http://127.0.0.1:${port}/`, command(port, folder.path));
    await eventually('it listens', () => backEnd.refuses());
    using hooks = hooksFile(backEnd.url, HOOKS, ', timeout: 30s');
    await using server = await startTestServer({ HOOKS_FILE: hooks.HOOKS_FILE, UPGRADE_TIMEOUT_MS: '60000' });

    expect(await open(server.url, { claims: { sub: 'mallory' } }).closed).toMatchObject({ code: 4403 });
    await using alice = await connect(server.url);
    await alice.request('subscribe', { channel: 'feed:orders' });
    alice.send({ type: 'order.place', id: 1, data: { tea: 2 } });
    expect(await alice.next()).toMatchObject({ type: 'order.placed', data: { tea: 2 } });
    expect(await alice.next()).toMatchObject({ type: 'order.place_reply', id: 1, data: { taken: true } });
    expect(await alice.request('order.drink')).toMatchObject({ code: 'UNKNOWN_ORDER' });
    await eventually('it has heard of alice', () => /session\.opened/.test(backEnd.printed));
    expect(backEnd.printed).toContain('alice');
  });
});
