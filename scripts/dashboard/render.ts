import { cluster } from './cluster.js';
import type { Row } from './panels.js';
import { resources } from './resources.js';
import { traffic } from './traffic.js';
import { workers } from './workers.js';

const COLUMNS = 24;

/** The text of deploy/grafana/dashboards/gatehouse.json. */
export function renderDashboard(): string {
  return `${JSON.stringify(dashboardOf([...traffic, ...cluster, ...resources, workers]), null, 2)}\n`;
}

function dashboardOf(rows: readonly Row[]): object {
  return {
    uid: 'gatehouse',
    title: 'Gatehouse',
    description: 'Made from scripts/dashboard; a test keeps it true, and its queries against /metrics.',
    tags: ['gatehouse', 'websocket'],
    // Grafana 11's; later ones read it.
    schemaVersion: 39,
    version: 1,
    editable: true,
    graphTooltip: 1,
    refresh: '30s',
    time: { from: 'now-1h', to: 'now' },
    timezone: 'browser',
    templating: { list: variables },
    annotations: { list: [alerts] },
    panels: placed(rows),
  };
}

const PROMETHEUS = { type: 'prometheus', uid: '${datasource}' };

const variables = [
  { name: 'datasource', label: 'Data source', type: 'datasource', query: 'prometheus', regex: '' },
  variable('job', 'Job', 'label_values(gatehouse_build_info, job)'),
  {
    ...variable('instance', 'Node', 'label_values(gatehouse_build_info{job="$job"}, instance)'),
    multi: true,
    includeAll: true,
    allValue: '.+',
    current: { selected: true, text: ['All'], value: ['$__all'] },
  },
];

/** @param query asked again when the time range changes, for nodes come and go */
function variable(name: string, label: string, query: string): object {
  return { name, label, type: 'query', datasource: PROMETHEUS, query: { query, refId: name }, refresh: 2, sort: 1 };
}

const alerts = {
  name: 'Alerts',
  datasource: PROMETHEUS,
  enable: true,
  iconColor: 'red',
  target: { refId: 'alerts', expr: 'ALERTS{alertname=~"Gatehouse.+", alertstate="firing"}', interval: '60s' },
  titleFormat: '{{alertname}}',
  textFormat: '{{instance}} {{severity}}',
};

/** Rows from top to bottom, and the panels of each from left to right, as far as they fit. */
function placed(rows: readonly Row[]): object[] {
  const result: object[] = [];
  let y = 0;
  for (const { title, panels } of rows) {
    result.push({
      id: result.length + 1,
      type: 'row',
      title,
      collapsed: false,
      panels: [],
      gridPos: at(0, y, COLUMNS, 1),
    });
    y += 1;
    let x = 0;
    let lowest = y;
    for (const { width, height, body } of panels) {
      if (x + width > COLUMNS) [x, y] = [0, lowest];
      result.push({ id: result.length + 1, ...body, gridPos: at(x, y, width, height) });
      x += width;
      lowest = Math.max(lowest, y + height);
    }
    y = lowest;
  }
  return result;
}

function at(x: number, y: number, w: number, h: number): object {
  return { h, w, x, y };
}
