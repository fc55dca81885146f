/** One panel, before it has a place. Grafana's own words for it: https://grafana.com/docs/grafana/latest/visualizations/panels-visualizations/ */
export interface Panel {
  /** Of 24 columns. */
  readonly width: number;
  readonly height: number;
  readonly body: Readonly<Record<string, unknown>>;
}

interface Shown {
  /** What it shows and how to read it; stands behind the title. */
  readonly about: string;
  /** As Grafana names units: `short`, `s`, `bytes`, `percentunit`, `ops`. */
  readonly unit: string;
  /** Expressions by their legends. */
  readonly queries: Readonly<Record<string, string>>;
}

interface Graph extends Shown {
  readonly stacked?: boolean;
  /** The end of the scale, where there is one. */
  readonly max?: number;
  readonly width?: number;
}

interface Figure extends Shown {
  /** Green below the first; orange from it, red from the second. Descending: the other way round. */
  readonly limits?: readonly [orange: number, red: number];
}

export interface Row {
  readonly title: string;
  readonly panels: readonly Panel[];
}

const DATASOURCE = { type: 'prometheus', uid: '${datasource}' } as const;

/** Values over time. */
export function graph(title: string, { stacked = false, max, width = 8, ...shown }: Graph): Panel {
  const custom = {
    fillOpacity: stacked ? 30 : 8,
    lineWidth: 1,
    showPoints: 'never',
    stacking: { mode: stacked ? 'normal' : 'none', group: 'A' },
  };
  return panel(
    { width, height: 8 },
    {
      type: 'timeseries',
      title,
      ...common(shown, { min: 0, ...(max !== undefined && { max }), custom }),
      options: {
        legend: { displayMode: 'list', placement: 'bottom', showLegend: true, calcs: [] },
        tooltip: { mode: 'multi', sort: 'desc' },
      },
    },
  );
}

/** The present value, with its course behind it. */
export function figure(title: string, { limits, ...shown }: Figure): Panel {
  return panel(
    { width: 4, height: 4 },
    {
      type: 'stat',
      title,
      ...common(shown, { thresholds: { mode: 'absolute', steps: stepsOf(limits) } }),
      options: {
        reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false },
        colorMode: 'value',
        graphMode: 'area',
        textMode: 'auto',
      },
    },
  );
}

/** How a distribution changes. The one query is of buckets. */
export function heatmap(title: string, { about, unit, queries }: Shown): Panel {
  return panel(
    { width: 8, height: 8 },
    {
      type: 'heatmap',
      title,
      description: about,
      datasource: DATASOURCE,
      targets: targetsOf(queries).map((target) => ({ ...target, format: 'heatmap' })),
      options: {
        calculate: false,
        yAxis: { unit },
        color: { mode: 'scheme', scheme: 'Oranges', steps: 64 },
        cellGap: 1,
        legend: { show: true },
        tooltip: { mode: 'single', yHistogram: false },
      },
    },
  );
}

/** Which state each node was in, or which of several things was true. The legend is the line, the value 0 or 1. */
export function timeline(title: string, shown: Shown): Panel {
  const mappings = [
    {
      type: 'value',
      options: { 0: { text: 'no', color: 'transparent', index: 0 }, 1: { text: 'yes', color: 'blue', index: 1 } },
    },
  ];
  return panel(
    { width: 8, height: 8 },
    {
      type: 'state-timeline',
      title,
      ...common(shown, { mappings, custom: { fillOpacity: 70, lineWidth: 0 } }),
      options: {
        showValue: 'never',
        mergeValues: true,
        rowHeight: 0.8,
        legend: { displayMode: 'list', placement: 'bottom', showLegend: false },
        tooltip: { mode: 'single', sort: 'none' },
      },
    },
  );
}

function panel(size: { readonly width: number; readonly height: number }, body: Panel['body']): Panel {
  return { ...size, body };
}

function common({ about, unit, queries }: Shown, defaults: object): object {
  return {
    description: about,
    datasource: DATASOURCE,
    targets: targetsOf(queries),
    fieldConfig: { defaults: { unit, ...defaults }, overrides: [] },
  };
}

function targetsOf(queries: Shown['queries']): object[] {
  return Object.entries(queries).map(([legendFormat, expr], index) => ({
    refId: String.fromCharCode('A'.charCodeAt(0) + index),
    datasource: DATASOURCE,
    expr,
    legendFormat,
    editorMode: 'code',
    range: true,
  }));
}

function stepsOf(limits: Figure['limits']): object[] {
  if (limits === undefined) return [{ color: 'green', value: null }];
  const [orange, red] = limits;
  const [lowest, highest] = orange < red ? ['green', 'red'] : ['red', 'green'];
  return [
    { color: lowest, value: null },
    { color: 'orange', value: Math.min(orange, red) },
    { color: highest, value: Math.max(orange, red) },
  ];
}
