import { titleOf, type Curve, type CurvePoint } from '../cases/chart.js';
import type { Section } from './section.js';
import { rounded } from './statistics.js';
import { colourClass, footerHeight, footerOf, headHeight, margin, svg, text, tidy } from './svg.js';

const width = 720;
const height = 400;
/** Room for "Gatehouse with Redis" and a figure. */
const legendWidth = 220;
const axisWidth = 50;
const axisHeight = 44;
const area = {
  left: margin + axisWidth,
  right: width - margin - legendWidth,
  top: headHeight + 8,
  bottom: height - footerHeight - axisHeight,
};

interface Line {
  readonly peer: string;
  readonly points: readonly { readonly at: number; readonly value: number }[];
}

/** A line for each peer: the horizontal axis is logarithmic, the vertical one begins at zero. */
export function drawCurve({ title, unit, over, points }: Curve, { figures, circumstances }: Section): string | null {
  const lines = linesOf(points, figures);
  const known = lines.flatMap((line) => line.points);
  if (known.length === 0) return null;
  const scale = scaleOf(known);
  return svg({
    width,
    height,
    title,
    subtitle: `${unit}, less is better`,
    description: lines.map(describe).join('; '),
    footer: footerOf(circumstances),
    body: [
      ...drawVerticalAxis(scale),
      ...drawHorizontalAxis(scale, { over, marks: [...new Set(known.map(({ at }) => at))] }),
      ...lines.flatMap((line, index) => drawLine(line, index, scale)),
      ...drawLegend(lines),
    ],
  });
}

function linesOf(points: readonly CurvePoint[], figures: Section['figures']): Line[] {
  const peers = [...new Set(figures.map(({ peer }) => peer))];
  return peers
    .map((peer) => ({
      peer,
      points: points.flatMap(({ measure, at }) => {
        const figure = figures.find((each) => each.peer === peer && each.measure === measure);
        return figure ? [{ at, value: figure.median }] : [];
      }),
    }))
    .filter((line) => line.points.length > 0);
}

interface Scale {
  readonly x: (at: number) => number;
  readonly y: (value: number) => number;
  readonly ticks: readonly number[];
}

function scaleOf(points: Line['points']): Scale {
  const places = points.map(({ at }) => Math.log10(at));
  const [first, last] = [Math.min(...places), Math.max(...places)];
  const step = niceStep(Math.max(...points.map(({ value }) => value)));
  const count = Math.ceil(Math.max(...points.map(({ value }) => value)) / step);
  const ticks = Array.from({ length: count + 1 }, (_, index) => index * step);
  const span = last - first || 1;
  return {
    x: (at) => area.left + ((Math.log10(at) - first) / span) * (area.right - area.left),
    y: (value) => area.bottom - (Math.max(0, value) / (count * step)) * (area.bottom - area.top),
    ticks,
  };
}

/** 1, 2 or 5 times a power of ten, so that four to ten steps reach the highest value. */
function niceStep(most: number): number {
  const power = 10 ** Math.floor(Math.log10(most / 4));
  const factor = [1, 2, 5].findLast((each) => each * power * 4 <= most) ?? 1;
  return factor * power;
}

function drawVerticalAxis({ y, ticks }: Scale): string[] {
  return ticks.flatMap((tick) => [
    `<line class="grid" x1="${area.left}" x2="${area.right}" y1="${tidy(y(tick))}" y2="${tidy(y(tick))}"/>`,
    text(Number(tick.toPrecision(3)).toLocaleString('en'), {
      x: area.left - 8,
      y: y(tick) + 4,
      anchor: 'end',
      kind: 'muted',
    }),
  ]);
}

interface HorizontalAxis {
  readonly over: string;
  readonly marks: readonly number[];
}

function drawHorizontalAxis({ x }: Scale, { over, marks }: HorizontalAxis): string[] {
  const roomForMark = 40;
  const shown: number[] = [];
  for (const mark of marks.toSorted((a, b) => b - a)) {
    const nearest = shown.at(-1);
    if (nearest === undefined || x(nearest) - x(mark) >= roomForMark) shown.push(mark);
  }
  return [
    ...shown.map((mark) =>
      text(mark.toLocaleString('en'), { x: x(mark), y: area.bottom + 18, anchor: 'middle', kind: 'muted' }),
    ),
    text(over, { x: (area.left + area.right) / 2, y: area.bottom + 38, anchor: 'middle', kind: 'muted' }),
  ];
}

function drawLine({ points }: Line, index: number, { x, y }: Scale): string[] {
  const places = points.map(({ at, value }) => `${tidy(x(at))},${tidy(y(value))}`);
  const colour = colourClass(index);
  return [
    `<polyline class="${colour} line" points="${places.join(' ')}"/>`,
    ...points.map(
      ({ at, value }) => `<circle class="${colour} mark" cx="${tidy(x(at))}" cy="${tidy(y(value))}" r="3"/>`,
    ),
  ];
}

/** The highest line stands first, as in the picture. */
function drawLegend(lines: readonly Line[]): string[] {
  const last = ({ points }: Line): number => points.at(-1)?.value ?? 0;
  const left = area.right + 24;
  return lines
    .map((line, index) => ({ line, index }))
    .toSorted((a, b) => last(b.line) - last(a.line))
    .flatMap(({ line, index }, row) => {
      const y = area.top + 10 + row * 22;
      const kind = index === 0 ? { kind: 'own' } : {};
      return [
        `<rect class="${colourClass(index)} mark" x="${tidy(left)}" y="${tidy(y - 9)}" width="10" height="10" rx="2"/>`,
        text(`${titleOf(line.peer)} ${rounded(last(line))}`, { x: left + 16, y, ...kind }),
      ];
    });
}

function describe({ peer, points }: Line): string {
  return `${titleOf(peer)}: ${points.map(({ at, value }) => `${rounded(value)} at ${at.toLocaleString('en')}`).join(', ')}`;
}
