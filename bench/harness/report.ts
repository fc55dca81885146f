import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, release, totalmem, type } from 'node:os';
import { join } from 'node:path';
import { benchFolder } from '../peers/catalogue.js';
import { judge, type CaseResults } from './results.js';
import { median, rounded } from './statistics.js';

const resultsFile = join(benchFolder, 'RESULTS.md');
const preamble = `# Results

Written by \`npm run bench -- --write\`, one section a case. Compare figures within a section only: each was taken side by
side in one run. How they are taken: METHOD.md.
`;

/** The section of one case, the same on the screen and in RESULTS.md. */
export function sectionOf(results: CaseResults): string {
  const { benchCase } = results;
  const parts = [
    `## ${benchCase.name}`,
    `${benchCase.title}. Figures are ${benchCase.unit}.`,
    circumstances(results),
    table(figureRows(results)),
    table(targetRows(results)),
    [...results.remarks].map((remark) => `- ${remark}`).join('\n'),
  ];
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

/** The section of a case in RESULTS.md, or null if there is none. */
export function sectionInResults(name: string): string | null {
  if (!existsSync(resultsFile)) return null;
  const sections = readFileSync(resultsFile, 'utf8').split(/^(?=## )/m);
  return sections.find((section) => section.split('\n', 1)[0] === `## ${name}`) ?? null;
}

/** Replaces that case's section and leaves all others as they are. */
export function writeSection(name: string, section: string): void {
  const text = existsSync(resultsFile) ? readFileSync(resultsFile, 'utf8') : preamble;
  const [head = preamble, ...sections] = text.split(/^(?=## )/m);
  const others = sections.filter((other) => other.split('\n', 1)[0] !== `## ${name}`);
  const all = [...others, section].map((each) => each.trim()).toSorted();
  writeFileSync(resultsFile, `${[head.trim(), ...all].join('\n\n')}\n`);
}

function circumstances({ versions, runs, quick }: CaseResults): string {
  const processor = cpus()[0]?.model ?? 'unknown processor';
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`;
  const machine = `${cpus().length} × ${processor}, ${memory}, ${type()} ${release()}`;
  const date = new Date().toISOString().slice(0, 10);
  const extent = `${runs} ${quick ? 'quick ' : ''}${runs === 1 ? 'run' : 'runs'}`;
  return `${date} · ${extent} · ${machine} · Node ${process.version.slice(1)} · ${[...new Set(versions.values())].join(' · ')}`;
}

function figureRows(results: CaseResults): string[][] {
  const { comparedWith = 'bare-ws' } = results.benchCase;
  const head = [
    'measure',
    'peer',
    'median',
    'lowest – highest',
    'a second',
    'server',
    'load',
    'others',
    `cost against ${comparedWith.replaceAll('-', ' ')}`,
  ];
  const rows = results.measures().flatMap((measure) =>
    results.peers(measure).map((peer) => {
      const readings = results.readings(peer, measure);
      const values = readings.map((reading) => reading.value);
      const rates = readings.flatMap((reading) => reading.perSecond ?? []);
      const uses = readings.flatMap((reading) => reading.use ?? []);
      const ratio = results.costRatio(peer, measure, comparedWith);
      return [
        measure,
        peer,
        rounded(median(values)),
        `${rounded(Math.min(...values))} – ${rounded(Math.max(...values))}`,
        rates.length > 0 ? Math.round(median(rates)).toLocaleString('en') : '–',
        percentage(uses.map((use) => use.serverShare)),
        percentage(uses.map((use) => use.loadShare)),
        percentage(uses.map((use) => use.othersShare)),
        Number.isFinite(ratio) ? ratio.toFixed(2) : '–',
      ];
    }),
  );
  return [head, ...rows];
}

function percentage(shares: readonly number[]): string {
  return shares.length > 0 ? `${Math.round(median(shares) * 100)} %` : '–';
}

function targetRows(results: CaseResults): string[][] {
  const verdicts = results.benchCase.targets.flatMap((target) => judge(results, target) ?? []);
  if (verdicts.length === 0) return [];
  const rows = verdicts.map(({ claim, found, met }) => [claim, found, met ? 'reached' : '**missed**']);
  return [[`target of ${results.benchCase.peers[0]}`, 'found', ''], ...rows];
}

/** Markdown, with columns aligned so that it also reads well in a terminal. */
function table(rows: readonly string[][]): string {
  const [head, ...body] = rows;
  if (!head || body.length === 0) return '';
  const widths = head.map((_, column) => Math.max(3, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...body.map(line)].join('\n');
}
