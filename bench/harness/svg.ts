/** The frame of every picture: its own background, so that it reads well on a light and on a dark page. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly title: string;
  /** Stands below the title. */
  readonly subtitle: string;
  /** For those who cannot see it. */
  readonly description: string;
  /** Where the figures come from. */
  readonly footer: string;
  readonly body: readonly string[];
}

export const margin = 20;
/** Where the body may begin. */
export const headHeight = 62;
export const footerHeight = 30;

const style = `
  .page { fill: #ffffff; stroke: #d0d7de; }
  text { font: 13px system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif; fill: #1f2328; }
  .title { font-size: 16px; font-weight: 600; }
  .muted { fill: #59636e; font-size: 12px; }
  .footer { fill: #59636e; font-size: 11px; }
  .grid { stroke: #d0d7de; stroke-width: 1; }
  .other { fill: #8c959f; }
  .line { fill: none; stroke-width: 2; }
  .own { font-weight: 600; }
  .c0 { --c: #0969da; } .c1 { --c: #bc4c00; } .c2 { --c: #1a7f37; }
  .c3 { --c: #8250df; } .c4 { --c: #bf3989; } .c5 { --c: #7d4e00; }
  @media (prefers-color-scheme: dark) {
    .page { fill: #0d1117; stroke: #3d444d; }
    text { fill: #f0f6fc; }
    .muted, .footer { fill: #9198a1; }
    .grid { stroke: #3d444d; }
    .other { fill: #656c76; }
    .c0 { --c: #4493f8; } .c1 { --c: #f0883e; } .c2 { --c: #3fb950; }
    .c3 { --c: #ab7df8; } .c4 { --c: #db61a2; } .c5 { --c: #d29922; }
  }
  .mark { fill: var(--c); }
  .line { stroke: var(--c); }
`;
const colours = 6;

/** Gatehouse is always the first colour. */
export function colourClass(index: number): string {
  return `c${index % colours}`;
}

export function svg({ width, height, title, subtitle, description, footer, body }: Picture): string {
  const lines = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="title description">`,
    `<title id="title">${escaped(title)}</title>`,
    `<desc id="description">${escaped(description)}</desc>`,
    `<style>${style}</style>`,
    `<rect class="page" x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="6"/>`,
    text(title, { x: margin, y: 28, kind: 'title' }),
    text(subtitle, { x: margin, y: 47, kind: 'muted' }),
    ...body,
    text(footer, { x: margin, y: height - 12, kind: 'footer' }),
    '</svg>',
  ];
  return `${lines.join('\n')}\n`;
}

export interface TextPlace {
  readonly x: number;
  readonly y: number;
  readonly kind?: string;
  readonly anchor?: 'start' | 'middle' | 'end';
}

export function text(content: string, { x, y, kind, anchor = 'start' }: TextPlace): string {
  const classes = kind === undefined ? '' : ` class="${kind}"`;
  return `<text x="${tidy(x)}" y="${tidy(y)}"${classes} text-anchor="${anchor}">${escaped(content)}</text>`;
}

/** A coordinate without a tail of digits. */
export function tidy(value: number): string {
  return String(Math.round(value * 10) / 10);
}

/** When, how often and with what the figures were taken: the first two parts of a section's line. */
export function footerOf(circumstances: string): string {
  const [date = '', runs = '', machine = ''] = circumstances.split(' · ');
  return [date, runs, machine].filter((part) => part !== '').join(' · ');
}

function escaped(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
