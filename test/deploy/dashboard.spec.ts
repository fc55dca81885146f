import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { renderDashboard } from '../../scripts/dashboard/render.js';
import { METRIC } from '../../src/observability/metrics/metrics.js';
import { WORKER_METRIC } from '../../src/supervision/primary-metrics.js';
import { dashboard, dashboardExpressions, type DashboardPanel } from './expressions.js';

const { panels, templating } = dashboard();
const shown = panels.filter(({ type }) => type !== 'row');

describe('the dashboard', () => {
  it('is what scripts/dashboard makes: `npx tsx scripts/dashboard.ts`', () => {
    expect(readFileSync('deploy/grafana/dashboards/gatehouse.json', 'utf8')).toBe(renderDashboard());
  });

  it('says of each panel what it shows, in which unit, and names each line', () => {
    for (const { title, description, fieldConfig, options, targets = [] } of shown) {
      expect([title, description]).toEqual([title, expect.stringMatching(/^[A-Z`\d].+\.$/)]);
      expect([title, fieldConfig?.defaults.unit ?? options?.yAxis?.unit]).toEqual([
        title,
        expect.stringMatching(/^\w+$/),
      ]);
      expect(targets.every(({ legendFormat }) => legendFormat !== '')).toBe(true);
    }
    expect(new Set(shown.map(({ title }) => title)).size).toBe(shown.length);
  });

  it('shows every metric that a node or a primary has of its own', () => {
    const expressions = dashboardExpressions().map(([, expression]) => expression);
    const isShown = (name: string): boolean =>
      expressions.some((expression) => new RegExp(`\\b${name}(_bucket|_sum|_count)?\\b`).test(expression));
    const names = Object.values({ ...METRIC, ...WORKER_METRIC });
    expect(names.filter((name) => !isShown(name))).toEqual([]);
  });

  it('has a place for each panel, on which no other lies', () => {
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    for (const [index, panel] of panels.entries()) {
      expect(panel.gridPos.x + panel.gridPos.w).toBeLessThanOrEqual(24);
      expect(panels.slice(index + 1).filter((other) => overlap(panel, other))).toEqual([]);
    }
  });

  it('asks the data sources that Grafana is given', () => {
    const { datasources } = parse(readFileSync('deploy/grafana/provisioning/datasources/gatehouse.yml', 'utf8')) as {
      datasources: { type: string; uid: string }[];
    };
    expect(datasources.map(({ type }) => type)).toEqual(['prometheus', 'jaeger']);
    expect(templating.list[0]?.query).toBe('prometheus');
  });

  it('lies where the provisioning looks for it', () => {
    const compose = readFileSync('deploy/compose.yaml', 'utf8');
    const { providers } = parse(readFileSync('deploy/grafana/provisioning/dashboards/gatehouse.yml', 'utf8')) as {
      providers: { options: { path: string } }[];
    };
    expect(compose).toContain(`./grafana/dashboards:${providers[0]?.options.path}:ro`);
  });
});

function overlap({ gridPos: one }: DashboardPanel, { gridPos: other }: DashboardPanel): boolean {
  const apart =
    one.x + one.w <= other.x || other.x + other.w <= one.x || one.y + one.h <= other.y || other.y + other.h <= one.y;
  return !apart;
}
