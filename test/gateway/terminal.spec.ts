import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildServer, ServerProcess, type Build } from '../support/built-server.js';
import { connect } from '../support/test-client.js';

let build: Build;
beforeAll(async () => void (build = await buildServer()));
afterAll(() => build[Symbol.asyncDispose]());

/** What a process shows of its start, one connection, and its end. */
async function shown(environment: Record<string, string>): Promise<string> {
  await using server = await ServerProcess.start(build, environment);
  const [, link = ''] = await server.wrote(/^Ready: (\S+)$/m);
  const client = await connect(link, { claims: false });
  await client.request('ping');
  client.socket.close(1000);
  await client.closed;
  server.signal('SIGTERM');
  await server.ended;
  return server.output;
}

describe('a terminal', () => {
  it('is shown a short banner, the link, and one line a connection, and no line of the audit', async () => {
    const output = await shown({ LOG_FORMAT: 'pretty' });
    const start = output.slice(0, output.indexOf('Ready: '));
    expect(start).toMatch(/^Gatehouse \d+\.\d+\.\d+$/m);
    expect(start).toMatch(/^ {2}Address {2}ws:\/\/127\.0\.0\.1:\d+\/ws$/m);
    expect(start).toMatch(/^ {2}HTTP {5}http:\/\/127\.0\.0\.1:\d+ \/api \/console \/docs \/contract \/metrics$/m);
    expect(start).toContain('AUTH_MODE=');
    expect(start).toContain('AUDIT_LOG=on');
    expect(start.length).toBeLessThan(1_000);
    const [, token] = /^Ready: \S+\?token=(\S+)$/m.exec(output) ?? [];
    expect(output).toMatch(new RegExp(`^Console: http://127\\.0\\.0\\.1:\\d+/console#token=${token}$`, 'm'));
    expect(output.match(/session (?:opened|closed)/g)).toEqual(['session closed']);
    expect(output).not.toContain('audit:');
    expect(output).not.toContain('connection_accepted');
  });

  it('is shown the audit if AUDIT_LOG=on asks for it', async () => {
    const output = await shown({ LOG_FORMAT: 'pretty', AUDIT_LOG: 'on' });
    expect(output).toContain('connection_accepted');
    expect(output).toContain('"event":"started"');
  });
});

describe('a program that reads the log', () => {
  it('gets every line of the audit, and no banner', async () => {
    const lines = (await shown({ LOG_FORMAT: 'json' })).split('\n');
    const events = lines.flatMap((line) =>
      line.startsWith('{') ? [(JSON.parse(line) as { event?: string }).event] : [],
    );
    expect(events).toEqual(expect.arrayContaining(['started', 'connection_accepted', 'connection_closed', 'stopped']));
    expect(lines.filter((line) => line !== '' && !/^(?:\{|Ready: |Console: )/.test(line))).toEqual([]);
  });
});
