import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DEFINITIONS } from '../../config/definitions.js';
import type { Setting } from '../../config/setting.js';
import { METRIC } from '../../src/observability/metrics/metrics.js';
import { CLOSES, ERRORS } from '@gatehouse/protocol';
import { REFUSALS } from '../../src/upgrade/ladder/refusals.js';
import { startTestServer } from '../support/test-server.js';
import { read, section, table } from './markdown.js';

const DOCUMENTS = ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', ...filesIn('docs', /^[^/]+\.md$/)];
const SETTINGS = Object.values(DEFINITIONS).flatMap((group) =>
  Object.values(group).map(({ env }: Setting<unknown>) => env),
);
/** Names of other programs that have the same form, and the part of a name. */
const FOREIGN_SETTINGS =
  /^(?:OTLP_TRACES|NODE_OPTIONS|OTEL_\w+|SCENARIO_\w+|FUZZ_\w+|GATEHOUSE_\w+|MAX_SAFE_INTEGER|[A-Z]+_IMAGE)$/;
/** A directive of nginx, and a field of Redis INFO. */
const FOREIGN_NAMES = new Set(['proxy_bind', 'rejected_connections']);
/** How Prometheus names the series of one metric. */
const SERIES = /_(?:count|sum|bucket)$/;

/** Every word of the code and of what is deployed: a name in the docs that stands nowhere else is wrong or out of date. */
const WORDS = new Set(
  [
    ...filesIn('src'),
    ...filesIn('config'),
    ...filesIn('deploy'),
    ...filesIn('proto'),
    ...filesIn('packages'),
    ...filesIn('bench'),
    'package.json',
  ].flatMap((path) => readFileSync(path, 'utf8').match(/\w+/g) ?? []),
);

describe.each(DOCUMENTS)('%s', (path) => {
  const names = namesIn(read(path));

  it('names only settings and error codes that exist', () => {
    const known = new Set([...SETTINGS, ...Object.keys(ERRORS)]);
    const meant = names.filter((name) => /^[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+$/.test(name));
    const unknown = meant.filter((name) => !known.has(name) && !FOREIGN_SETTINGS.test(name) && !WORDS.has(name));
    expect(unknown).toEqual([]);
  });

  it('names only refusals, closes, events, fields and options that exist', () => {
    const meant = names.filter((name) => /^[a-z][a-z0-9]*(?:_[a-z0-9]+)+$/.test(name));
    const unknown = meant.filter((name) => !WORDS.has(name) && !FOREIGN_NAMES.has(name) && !isMetricName(name));
    expect(unknown).toEqual([]);
  });

  it('names only metrics that exist', async () => {
    const meant = new Set(names.filter(isMetricName).map((name) => name.replace(SERIES, '')));
    const known = new Set<string>([...Object.values(METRIC), ...(await metricsOfNode())]);
    expect([...meant].filter((name) => !known.has(name) && !WORDS.has(name))).toEqual([]);
  });

  it('has contents that name its sections in their order', () => {
    const text = read(path);
    const contents = /^(?:\[[^\]]+\]\(#[\w-]+\)[\s·]*)+$/m.exec(text)?.[0];
    if (contents === undefined) return;
    const listed = [...contents.matchAll(/\[([^\]]+)\]/g)].map(([, name]) => name);
    expect(listed).toEqual([...text.matchAll(/^## (.+)$/gm)].map(([, heading]) => heading));
  });
});

describe('tables of the docs', () => {
  it('about clients that cannot connect have only reasons of the registry', () => {
    const rows = table(section(read('docs/troubleshooting.md'), '## Clients cannot connect'), 'reason');
    const reasons = rows.flatMap(({ reason = '' }) => namesIn(reason));
    expect(reasons.filter((reason) => !(reason in REFUSALS))).toEqual([]);
  });

  it('that have a column of closes name only closes of the registry', () => {
    const rows = table(section(read('docs/protocol.md'), '## Closes'), 'name');
    expect(rows.flatMap(({ name = '' }) => namesIn(name)).filter((name) => !(name in CLOSES))).toEqual([]);
  });
});

/** Code spans of prose and tables, without what follows `=` or `{`; blocks of code are held against the code by other tests. */
function namesIn(text: string): string[] {
  const prose = text.replace(/^ *```[^]*?^ *```/gm, '');
  return [...prose.matchAll(/`([^`\n]+)`/g)].map(([, span = '']) => span.replace(/[={(].*$/, ''));
}

function isMetricName(name: string): boolean {
  return /^(?:websocket|gatehouse|nodejs|process)_[a-z0-9_]+$/.test(name);
}

let ofNode: Promise<readonly string[]> | undefined;
/** Those of prom-client about the process, which no registry of ours lists. */
function metricsOfNode(): Promise<readonly string[]> {
  ofNode ??= (async () => {
    await using server = await startTestServer();
    const text = await (await fetch(`${server.http}/metrics`)).text();
    return [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name = '']) => name);
  })();
  return ofNode;
}

function filesIn(
  folder: string,
  pattern = /\.(?:ts|js|mjs|cjs|json|ya?ml|md|proto|conf|cfg|tpl|txt|example)$|Dockerfile$/,
): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => pattern.test(path) && !/node_modules|(^|\/)dist\//.test(path))
    .map((path) => join(folder, path));
}
