import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { LOG_AREAS } from '../../config/log-levels.js';
import { ANOMALIES } from '../../src/observability/anomalies/anomaly-report.js';
import { LEFT_OUT, LOG_LINES } from '../../src/observability/logs/log-lines.js';
import { literal, read, section, table } from './markdown.js';

const document = read('docs/observability.md');
const ANOMALY_FIELDS = ['anomaly', 'value', 'limit', 'sessions'];

interface Row {
  readonly level: string | undefined;
  readonly area: string | undefined;
  readonly fields: readonly string[];
}

describe('docs/observability.md', () => {
  it('lists the areas of the log', () => {
    const documented = table(section(document, '### Levels'), 'area').map((row) => [
      literal(row.area),
      row['writes of'],
    ]);
    expect(Object.fromEntries(documented)).toEqual(LOG_AREAS);
  });

  it('lists the lines of the log, each with its level, area and fields', () => {
    const documented = new Map(
      table(section(document, '### Sentences'), 'line').map(({ line, level, area, fields = '' }): [string, Row] => {
        const names = [...fields.matchAll(/`(\w+)`/g)].map(([, name = '']) => name);
        return [literal(line) ?? '', { level: literal(level), area: literal(area), fields: names.toSorted() }];
      }),
    );
    const registered = [
      ...Object.values(LOG_LINES).map(({ sentence, level, area, fields }) => ({ sentence, level, area, fields })),
      ...Object.values(ANOMALIES).map((sentence) => ({
        sentence,
        level: 'warn',
        area: 'observability',
        fields: ANOMALY_FIELDS,
      })),
    ];
    for (const { sentence, level, area, fields } of registered) {
      expect([sentence, documented.get(sentence)]).toEqual([sentence, { level, area, fields: [...fields].toSorted() }]);
      documented.delete(sentence);
    }
    // The others are written by stages that know no catalogue.
    expect(documented.delete(LEFT_OUT)).toBe(true);
    const sources = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.ts'));
    const code = sources.map((path) => read(join('src', path))).join('\n');
    expect([...documented.keys()].filter((sentence) => !code.includes(`'${sentence}'`))).toEqual([]);
  });
});
