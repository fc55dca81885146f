import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { METRIC } from '../../src/observability/metrics/metrics.js';
import { literal, read, section, table } from '../docs/markdown.js';
import { requireProgram } from '../support/require-program.js';
import { dashboard, PROMETHEUS, rules } from './expressions.js';

const TESTS = ['alerts.test.yml', 'alerts.slow.test.yml'];
/** Its paragraphs, without what stands before the first. */
const runbook = section(read('docs/operations.md'), '## Runbook').replace(/^[^]*?(?=^### )/m, '');
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
    expect(annotations.runbook).toBe(`docs/operations.md#${alert.toLowerCase()}`);
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
    expect(metrics.filter((name) => !Object.values<string>(METRIC).includes(name))).toEqual([]);
  });

  it('have a paragraph of the runbook each, in their order, and there is none without an alert', () => {
    const paragraphs = [...runbook.matchAll(/^### (.+)\n\n(.+)$/gm)];
    expect(paragraphs.map(([, heading]) => heading)).toEqual(alerts.map(({ alert }) => alert));
  });

  it('are each shown to fire, and not to fire on what is just good', () => {
    expect(new Set(tested())).toEqual(new Set(alerts.map(({ alert }) => alert)));
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
