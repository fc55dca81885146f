import type { VNode } from 'preact';
import { count } from './text.js';

const WIDTH = 160;
const HEIGHT = 36;

interface SparklineProps {
  readonly label: string;
  readonly values: readonly number[];
  /** How many values fill the width. */
  readonly capacity?: number;
}

/** The last ten minutes, at a glance. */
export function Sparkline({ label, values, capacity = 120 }: SparklineProps): VNode {
  const top = Math.max(1, ...values);
  const left = capacity - values.length;
  const points = values.map((value, index) => {
    const x = ((left + index) / Math.max(1, capacity - 1)) * WIDTH;
    return `${x.toFixed(1)},${(HEIGHT - 2 - (value / top) * (HEIGHT - 6)).toFixed(1)}`;
  });
  const first = points[0]?.split(',')[0];
  const last = points.at(-1)?.split(',')[0];
  return (
    <svg
      class="sparkline"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={`${label} of the last ten minutes, at most ${count(Math.max(0, ...values))}`}
    >
      {points.length > 1 && <polygon points={`${first},${HEIGHT} ${points.join(' ')} ${last},${HEIGHT}`} />}
      {points.length > 1 && <polyline points={points.join(' ')} vector-effect="non-scaling-stroke" />}
    </svg>
  );
}

/** Several series added up, aligned at their newest values. */
export function sumOf(series: readonly (readonly number[])[]): readonly number[] {
  const length = Math.max(0, ...series.map((one) => one.length));
  return Array.from({ length }, (_, index) =>
    series.reduce((sum, one) => sum + (one[one.length - length + index] ?? 0), 0),
  );
}
