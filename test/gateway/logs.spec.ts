import { Logger, UseInterceptors } from '@nestjs/common';
import { SubscribeMessage } from '@nestjs/websockets';
import { MessageLogInterceptor, Roles } from 'gatehouse';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { loadSettings } from '../../config/settings.js';
import { MessageTable, type Handler, type Handlers } from '../../src/dispatch/message-table.js';
import { RealtimeGateway } from '../../src/dispatch/realtime-gateway.js';
import { SessionEvents } from '../../src/sessions/session-events.js';
import { SessionRegistry } from '../../src/sessions/session-registry.js';
import { api, type ApiAnswer } from '../support/api-client.js';
import { eventually } from '../support/eventually.js';
import { feature } from '../support/feature.js';
import { RawClient } from '../support/raw-client.js';
import { Scrape } from '../support/scrape.js';
import { StoppedClock } from '../support/stopped-clock.js';
import { connect } from '../support/test-client.js';
import { mintToken, startTestServer, TEST_SECRET, type TestServer } from '../support/test-server.js';

const text = expect.any(String) as string;
const number = expect.any(Number) as number;

type Line = Record<string, unknown>;

function linesOf({ logLines }: TestServer, message: string): Line[] {
  return logLines.filter(({ msg }) => msg === message);
}

/** A gateway of a user, with the line of each of its messages at info. */
@RealtimeGateway()
@UseInterceptors(MessageLogInterceptor)
class LoggedGateway {
  @SubscribeMessage('logged.greet')
  greet(): string {
    return 'hello';
  }

  @Roles('NOBODY')
  @SubscribeMessage('logged.refuse')
  refuse(): void {}
}

/** The table of the home path, and what it has for `echo` while no level asks for lines. */
function handlersOf(server: TestServer): { handlers: Handlers; silent: Handler | undefined } {
  const handlers = server.app.get(MessageTable, { strict: false }).of('');
  return { handlers, silent: handlers.get('echo') };
}

/** One client that echoes twice, goes, and is known to be gone. */
async function visit(server: TestServer): Promise<void> {
  await using client = await connect(server.url, { protocols: ['v1.json'] });
  for (let round = 0; round < 2; round += 1) await client.request('echo', 'a payload');
  const closed = once(server.app.get(SessionRegistry, { strict: false }).events, 'closed');
  client.socket.close(1000);
  await closed;
}

/** So many upgrades that are refused, for they bring no token. */
async function refusals(server: TestServer, count: number): Promise<void> {
  for (let done = 0; done < count; done += 1) {
    await using client = await RawClient.upgrade(server.port);
    expect((await client.outcome()).close?.code).toBe(4401);
  }
}

const ADMIN = { sub: 'ann', roles: ['ADMIN'] };

function setLevels(server: TestServer, body: object, claims: object = ADMIN): Promise<ApiAnswer> {
  return api(server, 'PUT /api/logs/levels', { body, token: mintToken({ ...claims }) });
}

@RealtimeGateway()
class WritingGateway {
  private readonly logger = new Logger('Writing');

  @SubscribeMessage('write.later')
  async later(): Promise<void> {
    await pause(1);
    this.logger.log('a line behind an await');
  }

  @SubscribeMessage('write.fail')
  fail(): never {
    throw new Error('broken');
  }
}

describe('the log of connections', () => {
  it('has one line a connection at info: its end, with code, duration and counts', async () => {
    await using server = await startTestServer();
    await visit(server);
    expect(server.logLines.map(({ msg }) => msg)).toEqual(['session closed']);
  });

  it('has one line for the opening at debug too', async () => {
    await using server = await startTestServer({ LOG_LEVEL: 'info,connections=debug' });
    await visit(server);
    const opened = {
      node: 'test-node',
      area: 'connections',
      session: text,
      user: 'alice',
      address: '127.0.0.1',
    };
    expect(linesOf(server, 'session opened')).toEqual([
      { ...opened, level: 'debug', time: text, protocol: 'v1.json', msg: 'session opened' },
    ]);
    expect(linesOf(server, 'session closed')).toMatchObject([
      { ...opened, level: 'info', code: 1000, durationMs: number, received: 2, sent: 2 },
    ]);
    expect(linesOf(server, 'session closed')[0]?.session).toBe(linesOf(server, 'session opened')[0]?.session);
  });

  it('shows no control character of a user id, which a terminal would obey', async () => {
    await using server = await startTestServer({ LOG_LEVEL: 'debug' });
    await using client = await connect(server.url, { claims: { sub: 'a\u009b31m\u202eb' } });
    await client.request('ping');
    await eventually('it is told', () => linesOf(server, 'session opened').length === 1);
    expect(linesOf(server, 'session opened')[0]?.user).toBe('a\\u{9b}31m\\u{202e}b');
  });

  it('says nothing of them at warn, nor listens', async () => {
    await using server = await startTestServer({ LOG_LEVEL: 'warn', AUDIT_LOG: 'off' });
    const listening = server.app.get(SessionEvents, { strict: false }).listenerCount('opened');
    await visit(server);
    expect(server.logLines).toEqual([]);
    await using louder = await startTestServer({ LOG_LEVEL: 'warn,connections=debug', AUDIT_LOG: 'off' });
    expect(louder.app.get(SessionEvents, { strict: false }).listenerCount('opened')).toBe(listening + 1);
  });

  it('has a level of its own', async () => {
    await using server = await startTestServer({ LOG_LEVEL: 'warn,connections=debug' });
    await visit(server);
    await refusals(server, 1);
    expect(server.logLines.map(({ msg }) => msg)).toEqual(['session opened', 'session closed']);
  });
});

describe('the log of messages', () => {
  it('has a line for each at debug, with how long it took and how it ended, and never a payload', async () => {
    await using server = await startTestServer({ LOG_LEVEL: 'trace' });
    await visit(server);
    await using client = await connect(server.url);
    await client.request('auth_refresh', { token: 'garbage' }, 'c-17');
    await client.request('nobody-knows-this', 'a payload', 'c-18');
    const lines = linesOf(server, 'message');
    expect(lines).toHaveLength(3);
    expect(lines[0]).toMatchObject({
      level: 'debug',
      session: text,
      type: 'echo',
      id: 'r',
      milliseconds: number,
      outcome: 'ok',
    });
    expect(lines[2]).toMatchObject({ type: 'auth_refresh', id: 'c-17', outcome: 'UNAUTHENTICATED' });
    expect(linesOf(server, 'message refused')).toMatchObject([
      { session: text, type: 'nobody-knows-this', id: 'c-18', outcome: 'UNKNOWN_MESSAGE_TYPE' },
    ]);
    expect(JSON.stringify(server.logLines)).not.toContain('a payload');
  });

  it('has the trace where there is one, also in what the handler writes itself', async () => {
    // Nobody listens there: what is recorded is lost, and has an id all the same.
    const environment = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1', LOG_LEVEL: 'debug' };
    await using server = await startTestServer(environment, [feature([WritingGateway])]);
    await using client = await connect(server.url);
    await client.request('write.later', undefined, 'c-1');
    await client.request('write.fail', undefined, 'c-2');
    const [own] = linesOf(server, 'a line behind an await');
    expect(own).toMatchObject({ id: 'c-1', session: text, trace_id: text, span_id: text });
    const [first, second] = linesOf(server, 'message');
    expect([first?.trace_id, first?.span_id]).toEqual([own?.trace_id, own?.span_id]);
    expect(linesOf(server, 'handler failed')[0]?.trace_id).toBe(second?.trace_id);
    expect(second?.trace_id).not.toBe(first?.trace_id);
  });

  it('are logged at info for a gateway with MessageLogInterceptor, and for no other', async () => {
    await using server = await startTestServer({ LOG_LEVEL: 'info' }, [feature([LoggedGateway])]);
    await using client = await connect(server.url);
    await client.request('logged.greet', undefined, 'c-1');
    await client.request('logged.refuse', undefined, 'c-2');
    await client.request('echo', 'a payload', 'c-3');
    expect(linesOf(server, 'message handled')).toMatchObject([
      { level: 'info', area: 'messages', session: text, id: 'c-1', type: 'logged.greet', outcome: 'ok' },
    ]);
    expect(linesOf(server, 'message')).toEqual([]);
  });

  it('names session and message where a handler fails, and where it writes a line itself', async () => {
    await using server = await startTestServer({ LOG_CORRELATION: 'on', LOG_LEVEL: 'info,connections=debug' }, [
      feature([WritingGateway]),
    ]);
    await using client = await connect(server.url);
    await client.request('write.later', undefined, 'c-1');
    await client.request('write.fail', undefined, 'c-2');
    const session = linesOf(server, 'session opened')[0]?.session;
    expect(linesOf(server, 'a line behind an await')).toMatchObject([
      { level: 'info', area: 'app', context: 'Writing', session, id: 'c-1' },
    ]);
    expect(linesOf(server, 'handler failed')).toMatchObject([
      {
        level: 'error',
        area: 'messages',
        where: 'WritingGateway.fail',
        session,
        id: 'c-2',
        err: { message: 'broken' },
      },
    ]);
  });
});

describe('the levels of the log', () => {
  it('change at run time by the API, and cost nothing where they are off', async () => {
    await using server = await startTestServer();
    const { handlers, silent } = handlersOf(server);
    await visit(server);
    expect(handlers.get('echo')).toBe(silent);
    const { status, body } = await setLevels(server, { levels: 'warn,messages=debug', seconds: 600 });
    const areas = expect.objectContaining({ messages: 'debug', connections: 'warn' }) as object;
    const changed = { nodeId: 'test-node', levels: 'warn,messages=debug', configured: 'info', areas, until: number };
    expect({ status, body }).toEqual({ status: 200, body: { nodes: [changed], missing: [] } });
    await visit(server);
    expect([linesOf(server, 'message').length, linesOf(server, 'session closed').length]).toEqual([2, 1]);
    const { body: seen } = await api(server, 'GET /api/logs/levels', { token: mintToken(ADMIN) });
    expect(seen).toEqual(body);

    const back = await api(server, 'DELETE /api/logs/levels', { token: mintToken(ADMIN) });
    expect(back.body).toMatchObject({ nodes: [{ levels: 'info', areas: { messages: 'info' } }] });
    await visit(server);
    expect(linesOf(server, 'message')).toHaveLength(2);
    expect(handlers.get('echo')).toBe(silent);
    expect(linesOf(server, 'log levels changed')).toMatchObject([
      { levels: 'warn,messages=debug', until: text, by: 'ann' },
      { levels: 'info', by: 'ann' },
    ]);
    expect(server.auditLines.filter(({ event }) => event === 'api_call')).toMatchObject([
      { who: 'ann', action: 'set-log-levels', target: 'warn,messages=debug', outcome: 'done' },
      { who: 'ann', action: 'restore-log-levels', outcome: 'done' },
    ]);
  });

  it('return by themselves when their time is over', async () => {
    await using server = await startTestServer();
    await setLevels(server, { levels: 'debug', seconds: 1 });
    await expect
      .poll(() => linesOf(server, 'log levels changed').at(-1))
      .toMatchObject({ levels: 'info', by: 'the end of their time' });
  });

  it('are refused where they cannot be used, or by whom they are not for', async () => {
    await using server = await startTestServer();
    const refused = [
      [{ levels: 'loud' }, 'levels', /must be a level \(trace/],
      [{ levels: 'info,conections=debug' }, 'levels', /must name only these areas:/],
      [{ levels: 7 }, 'levels', /must be a string/],
      [{}, 'levels', /must be a string/],
      [{ levels: 'info', seconds: 86_401 }, 'seconds', /86400/],
      [{ levels: 'info', seconds: 0 }, 'seconds', /less than 1/],
      [{ levels: 'info', nodeId: '../etc' }, 'nodeId', /SERVER_ID of a node/],
    ] as const;
    for (const [body, field, reason] of refused) {
      const answer = await setLevels(server, body);
      const { errors } = answer.body as { readonly errors: Readonly<Record<string, unknown>> };
      expect([answer.status, JSON.stringify(errors[field])]).toEqual([422, expect.stringMatching(reason)]);
    }
    expect((await setLevels(server, { levels: 'debug' }, { sub: 'backend', roles: ['SERVICE'] })).status).toBe(403);
    expect((await api(server, 'GET /api/logs/levels')).status).toBe(403);
    expect((await setLevels(server, { levels: 'debug', nodeId: 'nobody' })).status).toBe(404);
    expect(linesOf(server, 'log levels changed')).toEqual([]);
  });
});

describe('the log of refusals', () => {
  it('is bounded, however many an attacker causes, and says in the end how many it left out', async () => {
    using _ = new StoppedClock();
    const server = await startTestServer({ LOG_BURST_LINES: '5' });
    const before = await Scrape.of(server);
    await refusals(server, 30);
    const now = await Scrape.of(server);
    await server.close();
    const lines = linesOf(server, 'upgrade refused');
    const leftOut = linesOf(server, 'log lines omitted');
    expect(lines.length).toBe(5);
    expect(lines[0]).toMatchObject({ level: 'info', reason: 'unauthenticated', address: '127.0.0.1' });
    expect(leftOut[0]).toMatchObject({ kind: 'upgrade_refused', of: 'unauthenticated' });
    const sum = leftOut.reduce((total, line) => total + Number(line.leftOut), 0);
    expect(lines.length + sum).toBe(30);
    expect(now.value('gatehouse_log_lines_left_out_total{kind="upgrade_refused"}')).toBe(sum);
    expect(before.value('gatehouse_log_lines_left_out_total{kind="upgrade_refused"}')).toBe(0);
  });

  it('and that of sessions and messages have bounds, too', async () => {
    using _ = new StoppedClock();
    const server = await startTestServer({ LOG_LEVEL: 'debug', LOG_TRAFFIC_LINES: '3' });
    for (let round = 0; round < 4; round += 1) await visit(server);
    await server.close();
    for (const sentence of ['session opened', 'session closed', 'message']) {
      expect(linesOf(server, sentence)).toHaveLength(3);
    }
    expect(linesOf(server, 'log lines omitted').map(({ kind }) => kind)).toEqual(
      expect.arrayContaining(['session_opened', 'session_closed', 'message']),
    );
  });
});

describe('LOG_DIR', () => {
  function temporaryFolder(): string {
    const path = mkdtempSync(join(tmpdir(), 'gatehouse-'));
    onTestFinished(() => rmSync(path, { recursive: true }));
    return path;
  }

  const linesIn = (path: string): Line[] =>
    readFileSync(path, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Line);

  it('has every line in combined.log and errors in error.log, also those of the end, beside standard output', async () => {
    const dir = temporaryFolder();
    const server = await startTestServer({ LOG_DIR: dir, LOG_LEVEL: 'info' }, [feature([WritingGateway])]);
    await visit(server);
    await using client = await connect(server.url);
    await client.request('write.fail');
    await server.close();
    const combined = linesIn(join(dir, 'combined.log'));
    expect(combined.filter(({ msg }) => msg !== 'audit')).toEqual(server.logLines);
    expect(combined.filter(({ msg }) => msg === 'audit')).toEqual(server.auditLines);
    expect(combined.at(-1)).toMatchObject({ event: 'stopped' });
    expect(linesIn(join(dir, 'error.log'))).toEqual(linesOf(server, 'handler failed'));
  });

  it('rotates by size, and keeps as many former files as it is told', async () => {
    const dir = temporaryFolder();
    const server = await startTestServer({
      LOG_DIR: dir,
      LOG_LEVEL: 'debug',
      LOG_TRAFFIC_LINES: '0',
      LOG_FILE_MAX_BYTES: '65536',
      LOG_FILES_KEPT: '1',
    });
    await using client = await connect(server.url);
    for (let round = 0; round < 800; round += 1) await client.request('echo', 1);
    await server.close();
    expect(existsSync(join(dir, 'combined.log.1'))).toBe(true);
    expect(existsSync(join(dir, 'combined.log.2'))).toBe(false);
    expect(existsSync(join(dir, 'error.log.1'))).toBe(false);
    expect(linesIn(join(dir, 'combined.log')).at(-1)).toMatchObject({ event: 'stopped' });
  });

  it.runIf(existsSync('/dev/full'))('on a full disk is a counter and one line, and the server goes on', async () => {
    const dir = temporaryFolder();
    symlinkSync('/dev/full', join(dir, 'combined.log'));
    const server = await startTestServer({ LOG_DIR: dir });
    await visit(server);
    await expect
      .poll(async () => (await Scrape.of(server)).value('gatehouse_log_write_failures_total{output="combined.log"}'))
      .toBeGreaterThan(0);
    await visit(server);
    await server.close();
    expect(linesOf(server, 'session closed')).toHaveLength(2);
    expect(linesOf(server, 'cannot write a log file')).toMatchObject([
      { level: 'error', area: 'observability', file: 'combined.log', reason: 'ENOSPC' },
    ]);
    expect(linesIn(join(dir, 'error.log'))).toEqual(linesOf(server, 'cannot write a log file'));
  });

  it('is an unusable setting where it is no folder that can be written, with files that can', () => {
    const faultOf = (dir: string): string => {
      try {
        loadSettings({ NODE_ENV: 'test', JWT_SECRET: TEST_SECRET, LOG_DIR: dir });
        return '';
      } catch (error) {
        return (error as Error).message;
      }
    };
    expect(faultOf('/nowhere/at/all')).toContain('LOG_DIR must name a folder that exists');
    expect(faultOf('package.json')).toContain('LOG_DIR must name a folder;');
    const dir = temporaryFolder();
    expect(faultOf(dir)).toBe('');
    execFileSync('mkfifo', [join(dir, 'error.log')]);
    expect(faultOf(dir)).toContain('whose error.log can be written: it must name a file, not a pipe or socket');
  });

  it('is one as well where a file cannot be opened at the start, and ends it', async () => {
    // Not writable for root either.
    const dir = '/proc/self';
    const start = startTestServer({ LOG_DIR: dir });
    await expect(start).rejects.toThrow(/LOG_DIR/);
  });
});
