import type { Bar, Bars } from '../cases/chart.js';
import type { Section } from './section.js';
import { rounded } from './statistics.js';
import { footerHeight, footerOf, headHeight, margin, svg, text, tidy } from './svg.js';

const width = 720;
const rowHeight = 26;
const barHeight = 16;
const labelWidth = 170;
const valueWidth = 70;

interface Drawn extends Bar {
  readonly value: number;
}

/** Bars one below the other, in the order of the chart; those of Gatehouse stand out. */
export function drawBars({ title, unit, bars }: Bars, { figures, circumstances }: Section): string | null {
  const drawn = bars.flatMap((bar): Drawn[] => {
    const figure = figures.find(({ measure, peer }) => measure === bar.measure && peer === bar.peer);
    return figure ? [{ ...bar, value: figure.median }] : [];
  });
  if (drawn.length === 0) return null;
  const most = Math.max(...drawn.map(({ value }) => value));
  return svg({
    width,
    height: headHeight + drawn.length * rowHeight + footerHeight,
    title,
    subtitle: `${unit}, less is better`,
    description: drawn.map(({ label, value }) => `${label}: ${rounded(value)}`).join('; '),
    footer: footerOf(circumstances),
    body: drawn.flatMap((bar, row) => drawRow(bar, row, most)),
  });
}

function drawRow({ label, peer, value }: Drawn, row: number, most: number): string[] {
  const own = peer.startsWith('gatehouse');
  const top = headHeight + row * rowHeight;
  const baseline = top + barHeight - 3;
  const left = margin + labelWidth;
  const length = Math.max(1, (value / most) * (width - left - valueWidth - margin));
  const kind = own ? 'c0 mark' : 'other';
  return [
    text(label, { x: left - 10, y: baseline, anchor: 'end', ...(own ? { kind: 'own' } : {}) }),
    `<rect class="${kind}" x="${left}" y="${top}" width="${tidy(length)}" height="${barHeight}" rx="2"/>`,
    text(rounded(value), { x: left + length + 8, y: baseline, ...(own ? { kind: 'own' } : {}) }),
  ];
}
