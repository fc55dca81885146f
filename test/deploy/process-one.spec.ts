import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildServer, ServerProcess, type Build } from '../support/built-server.js';
import { InnerProcess, processOneWrapper } from '../support/process-one.js';
import { TEST_SECRET } from '../support/test-server.js';
import { read } from '../docs/markdown.js';

const ENVIRONMENT = { NODE_ENV: 'production', JWT_SECRET: TEST_SECRET };
const CLEAN = { code: 0, signal: null };
const MOMENTS = 4;
const AT_ONCE = 4;

const wrapper = processOneWrapper();
/** What deploy/Dockerfile starts Node with. */
const init = (/^ENTRYPOINT \["(tini.*?)", "node"/m.exec(read('deploy/Dockerfile'))?.[1] ?? '').split('", "');

let build: Build;
beforeAll(async () => {
  build = await buildServer();
});
afterAll(() => build[Symbol.asyncDispose]());

function start(...command: string[]): Promise<ServerProcess> {
  return ServerProcess.startAs(build, { environment: ENVIRONMENT, wrapper: [...(wrapper ?? []), ...command] });
}

/** Calls for 0 to count - 1, a few at a time. */
async function each<T>(count: number, call: (index: number) => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  for (let first = 0; first < count; first += AT_ONCE) {
    const indexes = Array.from({ length: Math.min(AT_ONCE, count - first) }, (_, index) => first + index);
    results.push(...(await Promise.all(indexes.map(call))));
  }
  return results;
}

/** Loaded before the program: says what Node took of a processor until then, and until somebody handles SIGTERM. */
const WATCH = `const boot = process.cpuUsage();
const sum = ({ user, system }) => user + system;
process.once('newListener', function tell(event) {
  if (event === 'SIGTERM') process.stderr.write(\`boot \${sum(boot)} handlers \${sum(process.cpuUsage())}\\n\`);
  else process.once('newListener', tell);
});`;

describe('the signal handlers', () => {
  it('are there before the rest of the program is loaded', async () => {
    const NODE_OPTIONS = `--import=data:text/javascript,${encodeURIComponent(WATCH)}`;
    const environment = { ...ENVIRONMENT, NODE_OPTIONS };
    await using server = await ServerProcess.startAs(build, { environment, wrapper: [] });
    await server.port();
    const [, boot, handlers] = /boot (\d+) handlers (\d+)/.exec(server.errors) ?? [];
    // In the same process, so that a busy machine changes both. Behind the imports it would be more than twice as much.
    expect(Number(handlers)).toBeLessThan(1.75 * Number(boot));
  });
});

describe('the server as process 1 of a container', { tags: ['unshare'] }, () => {
  it('ends cleanly on SIGTERM at every moment of its start', { timeout: 900_000 }, async () => {
    const { handlers, whole } = await startTimes();
    const endings = await each(MOMENTS, async (moment) => {
      await using server = await start();
      const node = await InnerProcess.childOf(server.pid);
      await node.handlesSighup();
      await node.hasUsed(handlers + ((whole - handlers) * moment) / MOMENTS);
      node.sigterm();
      return await server.ended;
    });
    expect(endings).toEqual(endings.map(() => CLEAN));
  });

  /** What it takes of a processor until its handlers are there, and until it listens. */
  async function startTimes(): Promise<{ handlers: number; whole: number }> {
    await using server = await start();
    const node = await InnerProcess.childOf(server.pid);
    await node.handlesSighup();
    const handlers = node.used();
    await server.port();
    return { handlers, whole: node.used() };
  }
});

describe('the entry point of the image', { tags: ['unshare', 'tini'] }, () => {
  it('ends cleanly on SIGTERM also before Node has run a line', { timeout: 900_000 }, async () => {
    expect(init[0]).toBe('tini');
    const endings = await each(4, async (moment) => {
      await using server = await start(...init);
      const tini = await InnerProcess.childOf(server.pid);
      // Before that it is not tini yet, but what makes the container.
      const node = await tini.child();
      await node.hasUsed(moment * 20);
      tini.sigterm();
      return await server.ended;
    });
    expect(endings).toEqual(endings.map(() => CLEAN));
  });

  it('passes on that the server could not start', async () => {
    const environment = { ...ENVIRONMENT, PORT: 'http' };
    const setup = { environment, wrapper: [...(wrapper ?? []), ...init] };
    await using server = await ServerProcess.startAs(build, setup);
    expect(await server.ended).toEqual({ code: 1, signal: null });
    expect(server.errors).toContain('Gatehouse cannot start');
  });
});
