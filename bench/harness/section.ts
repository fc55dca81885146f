/** One figure of a table in RESULTS.md. */
export interface Figure {
  readonly measure: string;
  readonly peer: string;
  readonly median: number;
}

export interface Section {
  readonly figures: readonly Figure[];
  /** The line with date, runs and machine. */
  readonly circumstances: string;
}

const columns = { measure: 0, peer: 1, median: 2 } as const;

/** Reads the table of figures back, so that a picture shows what the table says. */
export function readSection(section: string): Section {
  const lines = section.split('\n');
  const head = lines.findIndex((line) => line.startsWith('| measure'));
  const end = lines.findIndex((line, index) => index > head && !line.startsWith('|'));
  const rows = head < 0 ? [] : lines.slice(head + 2, end < 0 ? undefined : end);
  return {
    figures: rows.map(readRow).filter(({ median }) => Number.isFinite(median)),
    circumstances: lines.find((line) => /^\d{4}-\d\d-\d\d · /.test(line)) ?? '',
  };
}

function readRow(row: string): Figure {
  const cells = row.split('|').map((cell) => cell.trim());
  const at = (column: number): string => cells[column + 1] ?? '';
  return { measure: at(columns.measure), peer: at(columns.peer), median: Number.parseFloat(at(columns.median)) };
}
