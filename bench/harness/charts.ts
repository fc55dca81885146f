import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BenchCase } from '../cases/bench-case.js';
import type { Chart } from '../cases/chart.js';
import { benchFolder } from '../peers/catalogue.js';
import { drawBars } from './draw-bars.js';
import { drawCurve } from './draw-curve.js';
import { readSection, type Section } from './section.js';

const folder = join(benchFolder, 'charts');

/** Draws the pictures of a case from its section of RESULTS.md. Returns their names. */
export function writeCharts({ charts = [] }: BenchCase, text: string): string[] {
  const section = readSection(text);
  return charts.flatMap((chart) => {
    const picture = draw(chart, section);
    if (picture === null) return [];
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, chart.file), picture);
    return [chart.file];
  });
}

/** Null where the section has none of the figures. */
function draw(chart: Chart, section: Section): string | null {
  return chart.kind === 'bars' ? drawBars(chart, section) : drawCurve(chart, section);
}
