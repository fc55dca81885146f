import { expect, it } from 'vitest';
import { OUTCOMES } from '../../src/channels/ledger/publication-outcome.js';
import { literal, read, section, table } from './markdown.js';

it('docs/observability.md explains every outcome of a question, in the order in which they count', () => {
  const rows = table(section(read('docs/observability.md'), '## Explain'), 'outcome');
  expect(rows.map(({ outcome }) => literal(outcome))).toEqual(Object.keys(OUTCOMES));
});
