import { writeFileSync } from 'node:fs';
import { renderDashboard } from './dashboard/render.js';

writeFileSync('deploy/grafana/dashboards/gatehouse.json', renderDashboard());
