import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { METRIC } from '../../src/observability/metrics/metrics.js';
import { WORKER_METRIC } from '../../src/supervision/primary-metrics.js';
import { literal, read, section, table } from '../docs/markdown.js';
import { requireProgram } from '../support/require-program.js';
import { dashboard, PROMETHEUS, ruleGroups, rules } from './expressions.js';

const TESTS = ['alerts.test.yml', 'alerts.slow.test.yml'];
/** Its paragraphs, without what stands before the first. */
const runbook = section(read('docs/runbook.md'), '## Alerts').replace(/^[^]*?(?=^### )/m, '');
const ENDPOINT = /^(GET|POST|PUT|DELETE) /;
/** Words of other programs. */
const OTHERS_SAY = [
  'JavaScript heap out of memory',
  'OOM command not allowed',
  'redis-cli info',
  'redis-cli --latency',
  'slowlog get',
  'ulimit -n',
];
const alerts = rules().filter(({ alert }) => alert !== undefined);

/** A copy of the rules and their tests, whose ranges leave out their first moment, as Prometheus 3 has it; 2 included that. */
function leftOpenRanges(): string {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-alerts-'));
  cpSync(PROMETHEUS, folder, { recursive: true });
  const file = join(folder, 'alerts.yml');
  const units: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
  const shorter = (_: string, count: string, unit: string): string => `[${Number(count) * (units[unit] ?? 0) - 1}ms]`;
  writeFileSync(file, readFileSync(file, 'utf8').replaceAll(/\[(\d+)([smhd])\]/g, shorter));
  return folder;
}

interface AlertTest {
  readonly promql_expr_test: readonly { readonly expr: string; readonly exp_samples: readonly unknown[] }[];
}

/** The alerts that a test has fire. */
function tested(): string[] {
  const files = TESTS.map((name) => parse(readFileSync(`${PROMETHEUS}/${name}`, 'utf8')) as { tests: AlertTest[] });
  const checks = files
    .flatMap(({ tests }) => tests)
    .flatMap((test) => test.promql_expr_test)
    .filter((check) => check.exp_samples.length > 0);
  return checks.flatMap(({ expr }) => [...expr.matchAll(/alertname="(\w+)"/g)].map(([, name = '']) => name));
}

describe('the alerts', () => {
  it.each(alerts)('$alert says how urgent it is, what it means, and where the runbook tells what to do', (rule) => {
    const { alert = '', labels, annotations = {} } = rule;
    expect(labels?.severity).toMatch(/^(page|ticket)$/);
    expect(annotations.summary).toMatch(/^[A-Z].*[^.]$/);
    expect(annotations.description).toMatch(/\.$/);
    expect(annotations.runbook).toBe(`docs/runbook.md#${alert.toLowerCase()}`);
  });

  it('have a runbook that names only log lines, endpoints, metrics and panels that there are', () => {
    const lines = table(read('docs/observability.md'), 'line').map(({ line }) => literal(line));
    const known = new Set([...lines, ...OTHERS_SAY, ...dashboard().panels.map(({ title }) => title)]);
    const code = [...runbook.matchAll(/`([^`\n]+)`/g)].map(([, words = '']) => words);
    const bold = [...runbook.matchAll(/\*\*([^*\n]+)\*\*/g)].map(([, words = '']) => words);
    const phrases = [...code.filter((words) => words.includes(' ')), ...bold];
    const endpoints = phrases.filter((phrase) => ENDPOINT.test(phrase)).map((phrase) => phrase.replace(ENDPOINT, ''));
    expect(endpoints.filter((path) => !read('docs/api.md').includes(path))).toEqual([]);
    expect(phrases.filter((phrase) => !ENDPOINT.test(phrase) && !known.has(phrase))).toEqual([]);
    const metrics = [...runbook.matchAll(/\b(?:websocket|gatehouse)_\w+/g)].map(([name]) => name);
    const names = Object.values<string>({ ...METRIC, ...WORKER_METRIC });
    expect(metrics.filter((name) => !names.includes(name))).toEqual([]);
  });

  it('have a paragraph of the runbook each, in their order, and there is none without an alert', () => {
    const paragraphs = [...runbook.matchAll(/^### (.+)\n\n(.+)$/gm)];
    expect(paragraphs.map(([, heading]) => heading)).toEqual(alerts.map(({ alert }) => alert));
  });

  it('are each shown to fire, and not to fire on what is just good', () => {
    expect(new Set(tested())).toEqual(new Set(alerts.map(({ alert }) => alert)));
  });
});

describe('the tests of the alerts', () => {
  // In a round, promtool takes groups without an order at random. What was recorded in the round before is out of sight for
  // Prometheus 3, which looks back less than five minutes.
  it.each(TESTS)('%s evaluates what is recorded before what looks at it', (name) => {
    const { group_eval_order: order } = parse(readFileSync(`${PROMETHEUS}/${name}`, 'utf8')) as {
      group_eval_order: string[];
    };
    const groups = ruleGroups();
    expect(order.toSorted()).toEqual(groups.map((group) => group.name).toSorted());
    const seen = new Set<string>();
    for (const group of order.map((wanted) => groups.find((each) => each.name === wanted))) {
      for (const { record, alert, expr } of group?.rules ?? []) {
        const recorded = [...expr.matchAll(/\b\w+:\w+:\w+\b/g)].map(([series]) => series);
        expect([alert ?? record, recorded.filter((series) => !seen.has(series))]).toEqual([alert ?? record, []]);
        if (record !== undefined) seen.add(record);
      }
    }
    expect(seen.size).toBeGreaterThan(0);
  });

  it('see the alerts fire with the ranges of Prometheus 3 too', { tags: ['promtool'] }, () => {
    const folder = leftOpenRanges();
    try {
      const cwd = { cwd: folder, encoding: 'utf8' } as const;
      const { status, stdout, stderr } = spawnSync(requireProgram('promtool'), ['test', 'rules', ...TESTS], cwd);
      expect(`${status} ${stdout}${stderr}`).toMatch(/^0 /);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('promtool', { tags: ['promtool'] }, () => {
  it.each([
    ['takes the configuration', 'check', 'config', 'prometheus.yml'],
    ['takes the rules', 'check', 'rules', 'alerts.yml'],
    ['sees the alerts fire where they should, and only there', 'test', 'rules', ...TESTS],
  ])('%s', (_what, ...parameters) => {
    const { status, stdout, stderr } = spawnSync(requireProgram('promtool'), parameters, {
      cwd: PROMETHEUS,
      encoding: 'utf8',
    });
    expect(`${status} ${stdout}${stderr}`).toMatch(/^0 /);
  });
});
