import { EventEmitter } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { loadSettings } from '../../../../config/settings.js';
import { createLogger } from '../../../../src/observability/logs/logger.js';
import { Logs } from '../../../../src/observability/logs/logs.js';
import { areaOf, NestLogger } from '../../../../src/observability/logs/nest-logger.js';

type Line = Record<string, unknown>;

function logsOf(environment: Record<string, string>): { readonly logs: Logs; readonly lines: Line[] } {
  const { log, server } = loadSettings({ SERVER_ID: 'n', ...environment });
  const lines: Line[] = [];
  const destination = { write: (line: string) => void lines.push(JSON.parse(line) as Line) };
  return { logs: new Logs(createLogger(server, destination), log), lines };
}

const sentences = (lines: readonly Line[]): unknown[] => lines.map(({ msg }) => msg);

describe('the levels of the log', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('hold for their areas', () => {
    const { logs, lines } = logsOf({ LOG_LEVEL: 'error,cluster=warn' });
    logs.write('redis_gone', () => ({ reason: 'x' }));
    logs.write('redis_back', () => ({}));
    logs.write('api_refused', () => ({ status: 401 }));
    logs.write('api_failed', () => ({ where: 'x' }));
    expect(sentences(lines)).toEqual([
      'Redis is unreachable; this node keeps serving its own clients',
      'API request failed',
    ]);
    expect(lines[0]).toMatchObject({ level: 'warn', node: 'n', area: 'cluster', reason: 'x' });
  });

  it('change and return after their time, each told once, whatever the levels are', () => {
    const { logs, lines } = logsOf({ LOG_LEVEL: 'silent' });
    logs.change({ levels: 'info,messages=debug', seconds: 60, by: 'ann' });
    expect(logs.state).toMatchObject({
      levels: 'info,messages=debug',
      configured: 'silent',
      until: expect.any(Number) as number,
    });
    logs.change({ levels: 'debug', seconds: 120, by: 'bob' });
    vi.advanceTimersByTime(119_999);
    expect(logs.state.levels).toBe('debug');
    vi.advanceTimersByTime(1);
    expect(logs.state).toMatchObject({ levels: 'silent', areas: { messages: 'silent' } });
    expect(logs.state).not.toHaveProperty('until');
    expect(lines.map(({ msg, levels, by }) => [msg, levels, by])).toEqual([
      ['log levels changed', 'info,messages=debug', 'ann'],
      ['log levels changed', 'debug', 'bob'],
      ['log levels changed', 'silent', 'the end of their time'],
    ]);
  });

  it('that cannot be read change nothing', () => {
    const { logs } = logsOf({ LOG_LEVEL: 'warn' });
    expect(() => logs.change({ levels: 'loud', by: 'ann' })).toThrow('must be a level');
    expect(logs.state.levels).toBe('warn');
  });

  it('have nobody listen for lines that are not written', () => {
    const { logs } = logsOf({ LOG_LEVEL: 'info' });
    const events = new EventEmitter();
    const listener = (): void => {};
    logs.follow('message', { begin: () => events.on('handled', listener), end: () => events.off('handled', listener) });
    const listening = (levels: string): number => {
      logs.change({ levels, by: 'ann' });
      return events.listenerCount('handled');
    };
    expect(events.listenerCount('handled')).toBe(0);
    expect(['debug', 'trace', 'info', 'info,messages=debug', 'debug,messages=warn'].map(listening)).toEqual([
      1, 1, 0, 1, 0,
    ]);
  });
});

describe('the bounds of the log', () => {
  it('are by kind and reason, those of traffic apart, and what is left out is told in its area at its level', () => {
    const { logs, lines } = logsOf({ LOG_BURST_LINES: '2', LOG_TRAFFIC_LINES: '3' });
    for (let line = 0; line < 5; line += 1) {
      logs.write('upgrade_refused', () => ({ reason: 'draining', address: 'x' }));
      logs.write('upgrade_refused', () => ({ reason: 'overloaded', address: 'x' }));
      logs.write('session_closed', () => ({ session: 's' }));
      new NestLogger(logs).warn('a line of the application', 'Chat');
    }
    logs.close();
    const countOf = (sentence: string): number => sentences(lines).filter((one) => one === sentence).length;
    expect(['upgrade refused', 'session closed', 'a line of the application'].map(countOf)).toEqual([4, 3, 3]);
    expect(lines.filter(({ msg }) => msg === 'log lines omitted')).toMatchObject([
      { level: 'info', area: 'upgrade', kind: 'upgrade_refused', of: 'draining', leftOut: 3 },
      { kind: 'upgrade_refused', of: 'overloaded', leftOut: 3 },
      { area: 'connections', kind: 'session_closed', leftOut: 2 },
      { level: 'warn', area: 'app', kind: 'app_warn', leftOut: 2 },
    ]);
    expect(Object.fromEntries(logs.leftOut)).toEqual({ upgrade_refused: 6, session_closed: 2, app_warn: 2 });
  });
});

describe('Nest’s Logger', () => {
  it('writes sentences, errors, and objects with a sentence', () => {
    const { logs, lines } = logsOf({ LOG_LEVEL: 'trace' });
    const logger = new NestLogger(logs, () => ({ session: 's', id: 7 }));
    logger.log('a sentence', 'Chat');
    logger.warn({ msg: 'overloaded', limit: 5 }, 'Overload');
    logger.debug({ a: 1 }, 'Chat');
    logger.error(new Error('broken'), 'Chat');
    logger.error('broken', 'the stack', 'Chat');
    logger.log('Mapped', 'RoutesResolver');
    expect(lines).toMatchObject([
      { level: 'info', area: 'app', context: 'Chat', msg: 'a sentence', session: 's', id: 7 },
      { level: 'warn', area: 'lifecycle', context: 'Overload', msg: 'overloaded', limit: 5 },
      { level: 'debug', area: 'app', data: { a: 1 } },
      { level: 'error', area: 'app', err: { message: 'broken' }, msg: 'broken' },
      { level: 'error', stack: 'the stack', msg: 'broken' },
      { level: 'debug', area: 'nest', msg: 'Mapped' },
    ]);
    expect(lines[1]).not.toHaveProperty('session');
  });

  it('knows the area of every stage that logs by it', () => {
    const stages = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter(
      (path) => path.endsWith('.ts') && !path.startsWith('gateways'),
    );
    const contexts = stages.flatMap((path) =>
      [...readFileSync(join('src', path), 'utf8').matchAll(/ = new Logger\('(\w+)'\)/g)].map(([, name]) => name),
    );
    expect(contexts.length).toBeGreaterThan(3);
    expect(contexts.filter((context) => areaOf(context) === 'app')).toEqual([]);
  });
});
