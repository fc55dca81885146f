import { readFileSync } from 'node:fs';

/** The part of a document under a heading, up to the next heading of the same or a higher level. */
export function section(document: string, heading: string): string {
  const lines = document.split('\n');
  const start = lines.indexOf(heading);
  if (start < 0) throw new Error(`there is no heading "${heading}"`);
  const level = heading.indexOf(' ');
  const rest = lines.slice(start + 1);
  const end = rest.findIndex((line) => /^#+ /.test(line) && line.indexOf(' ') <= level);
  return rest.slice(0, end < 0 ? undefined : end).join('\n');
}

/** The rows of the first table of a text whose header starts with `column`: cells by the names of their columns. */
export function table(text: string, column: string): Record<string, string>[] {
  const lines = text.split('\n');
  const start = lines.findIndex((line) => cellsOf(line)[0] === column);
  if (start < 0) throw new Error(`there is no table with the first column "${column}"`);
  const names = cellsOf(lines[start] ?? '');
  const rows: Record<string, string>[] = [];
  for (const line of lines.slice(start + 2)) {
    if (!line.startsWith('|')) break;
    rows.push(Object.fromEntries(cellsOf(line).map((cell, index) => [names[index], cell])));
  }
  return rows;
}

/** The text in backticks of a cell that is nothing else; undefined for any other cell. */
export function literal(cell: string | undefined): string | undefined {
  return /^`([^`]+)`$/.exec(cell ?? '')?.[1];
}

/** The code of every block in a language. */
export function codeBlocks(text: string, language: string): string[] {
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\n([^]*?)^\`\`\``, 'gm'))].map(([, code = '']) => code);
}

export function read(path: string): string {
  return readFileSync(path, 'utf8');
}

function cellsOf(line: string): string[] {
  return line.startsWith('|')
    ? line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim())
    : [];
}
