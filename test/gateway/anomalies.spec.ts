import { EventEmitter } from 'node:events';
import { totalmem } from 'node:os';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { loadSettings } from '../../config/settings.js';
import { Anomalies } from '../../src/observability/anomalies/anomalies.js';
import { ANOMALIES } from '../../src/observability/anomalies/anomaly-report.js';
import { eventually } from '../support/eventually.js';
import { Scrape } from '../support/scrape.js';
import { connect, open } from '../support/test-client.js';
import { startTestServer, TEST_SECRET } from '../support/test-server.js';

const number = expect.any(Number) as number;
const OFF = Object.fromEntries(
  Object.values({
    connections: 'ANOMALY_CONNECTIONS_PER_S',
    errors: 'ANOMALY_ERRORS_PER_S',
    backlog: 'ANOMALY_BACKLOG_BYTES',
    memory: 'ANOMALY_MEMORY_PERCENT',
    growth: 'ANOMALY_MEMORY_GROWTH_PERCENT',
    processor: 'ANOMALY_PROCESSOR_PERCENT',
    lag: 'ANOMALY_EVENT_LOOP_LAG_MS',
  }).map((env) => [env, '0']),
);

describe('an anomaly', () => {
  it('is one warning when it begins and one line when it is over, with duration and peak, and a metric', async () => {
    await using server = await startTestServer({
      ...OFF,
      ANOMALY_HOLD_MS: '0',
      ANOMALY_CONNECTIONS_PER_S: '1',
      ANOMALY_ERRORS_PER_S: '1',
    });
    const before = await Scrape.of(server);
    await using client = await connect(server.url);
    const isTold = (sentence: string): boolean => server.logLines.some(({ msg }) => msg === sentence);
    await eventually('the storms are told', async () => {
      await Promise.all(Array.from({ length: 5 }, () => open(server.url, { claims: false }).closed));
      for (let error = 0; error < 5; error += 1) await client.request('nobody-knows-this');
      return isTold('connection storm') && isTold('error storm');
    });
    await eventually('they are over', () => isTold('connection storm is over') && isTold('error storm is over'));
    for (const kind of ['connection_storm', 'error_storm'] as const) {
      const lines = server.logLines.filter(({ anomaly }) => anomaly === kind);
      expect(lines.slice(0, 2)).toMatchObject([
        { level: 'warn', msg: ANOMALIES[kind], value: number, limit: 1, sessions: number },
        { level: 'info', msg: `${ANOMALIES[kind]} is over`, durationMs: number, peak: number, limit: 1 },
      ]);
      const now = await Scrape.of(server);
      expect(now.value(`gatehouse_anomaly_active{kind="${kind}"}`)).toBe(0);
      expect(now.since(before, `gatehouse_anomalies_total{kind="${kind}"}`)).toBeGreaterThanOrEqual(1);
    }
  });

  it('is not looked for where its threshold is 0, and nothing is composed where all are', async () => {
    await using server = await startTestServer(OFF);
    expect(() => server.app.get(Anomalies, { strict: false })).toThrow();
  });
});

describe('each kind', () => {
  /** A node that reads as scripted, looked at each second: what is told. */
  function told(environment: Record<string, string>, load: object, lagMs = 0, samples = 8): string[] {
    const settings = loadSettings({
      NODE_ENV: 'test',
      JWT_SECRET: TEST_SECRET,
      ...OFF,
      ...environment,
      ANOMALY_HOLD_MS: '0',
    });
    const lines: string[] = [];
    const report = { expect: () => {}, began: ({ sentence }: { sentence: string }) => lines.push(sentence) };
    const meter = Object.assign(new EventEmitter(), { load, worstLagMs: () => lagMs });
    type Parts = ConstructorParameters<typeof Anomalies>;
    const parts = [settings, report, meter, new EventEmitter(), new EventEmitter()] as unknown as Parts;
    new Anomalies(...parts).onModuleInit();
    for (let sample = 0; sample < samples; sample += 1) meter.emit('measured');
    return lines;
  }

  const idle = { bufferedBytes: 0, processor: 0.1, sessions: 0 };

  it.each([
    ['backlog', { ANOMALY_BACKLOG_BYTES: '1000' }, { ...idle, bufferedBytes: 1_001 }, 0],
    ['processor above 90 %', { ANOMALY_PROCESSOR_PERCENT: '90' }, { ...idle, processor: 0.95 }, 0],
    ['processor above 150 %', { ANOMALY_PROCESSOR_PERCENT: '150' }, { ...idle, processor: 1.6 }, 0],
    ['event loop lag', { ANOMALY_EVENT_LOOP_LAG_MS: '250' }, idle, 251],
    // Empty is unset: the threshold that holds where nobody has chosen one.
    ['backlog', { ANOMALY_BACKLOG_BYTES: '' }, { ...idle, bufferedBytes: 67_108_865 }, 0],
    ['processor above 90 %', { ANOMALY_PROCESSOR_PERCENT: '' }, { ...idle, processor: 0.91 }, 0],
    ['event loop lag', { ANOMALY_EVENT_LOOP_LAG_MS: '' }, idle, 251],
  ] as const)('is told once, in the words of the guide: %s', (sentence, environment, load, lagMs) => {
    expect(told(environment, load, lagMs)).toEqual([sentence]);
  });

  it('is told of memory above its threshold, and of memory that climbs, each once', () => {
    onTestFinished(() => void vi.restoreAllMocks());
    const rss = vi.spyOn(process.memoryUsage, 'rss').mockReturnValue(totalmem());
    expect(told({ ANOMALY_MEMORY_PERCENT: '' }, idle)).toEqual(['memory above threshold']);

    let now = performance.now();
    vi.spyOn(performance, 'now').mockImplementation(() => (now += 1_000));
    const beganAt = now;
    rss.mockImplementation(() => 1e9 + (now - beganAt) * 1e5);
    const climbing = { ANOMALY_MEMORY_GROWTH_PERCENT: '50', ANOMALY_MEMORY_WINDOW_MS: '20000' };
    expect(told(climbing, idle, 0, 100)).toEqual(['memory growth']);
  });

  it('is not told below its threshold', () => {
    const environment = {
      ANOMALY_BACKLOG_BYTES: '1000',
      ANOMALY_PROCESSOR_PERCENT: '90',
      ANOMALY_EVENT_LOOP_LAG_MS: '250',
    };
    expect(told(environment, { ...idle, bufferedBytes: 1_000, processor: 0.9 }, 250)).toEqual([]);
  });
});
