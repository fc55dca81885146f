import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

export interface Rule {
  readonly record?: string;
  readonly alert?: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface Target {
  readonly expr: string;
  readonly legendFormat: string;
}

export interface DashboardPanel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly targets?: readonly Target[];
  readonly fieldConfig?: { readonly defaults: { readonly unit?: string } };
  readonly options?: { readonly yAxis?: { readonly unit?: string } };
  readonly gridPos: Readonly<Record<'x' | 'y' | 'w' | 'h', number>>;
}

export interface Dashboard {
  readonly panels: readonly DashboardPanel[];
  readonly templating: { readonly list: readonly { readonly query: string | { readonly query: string } }[] };
  readonly annotations: { readonly list: readonly { readonly target: { readonly expr: string } }[] };
}

export const PROMETHEUS = 'deploy/prometheus';

export interface RuleGroup {
  readonly name: string;
  readonly rules: readonly Rule[];
}

/** The groups of alerts.yml, in order. */
export function ruleGroups(): RuleGroup[] {
  return (parse(readFileSync(`${PROMETHEUS}/alerts.yml`, 'utf8')) as { groups: RuleGroup[] }).groups;
}

/** Every rule of alerts.yml, in order. */
export function rules(): Rule[] {
  return ruleGroups().flatMap((group) => group.rules);
}

export function dashboard(): Dashboard {
  return JSON.parse(readFileSync('deploy/grafana/dashboards/gatehouse.json', 'utf8')) as Dashboard;
}

/** Every expression of the dashboard, by where it stands, with Grafana's variables filled in. */
export function dashboardExpressions(): [where: string, expression: string][] {
  const { panels, templating, annotations } = dashboard();
  const queries = templating.list.map(({ query }) => (typeof query === 'string' ? query : query.query));
  // `label_values(metric, label)` is Grafana's: as PromQL it is a grouping by the label.
  const lists = queries.flatMap((query) => [...query.matchAll(/^label_values\((.+), (\w+)\)$/g)]);
  return [
    ...panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }): [string, string] => [title, expr])),
    ...lists.map(([query, metric = '', label = '']): [string, string] => [query, `count by (${label}) (${metric})`]),
    ...annotations.list.map(({ target }): [string, string] => ['annotation', target.expr]),
  ].map(([where, expr]) => [where, expr.replaceAll('$__rate_interval', '1m')]);
}
