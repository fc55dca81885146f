import { writeFileSync } from 'node:fs';
import { apiReport } from './public-api.js';

/** Writes docs/api-report.md. Run it after `nest build`, as `npm run api:report` does. */
const { report, undocumented } = apiReport('dist');
if (undocumented.length > 0) throw new Error(`Without a doc comment: ${undocumented.join(', ')}`);
writeFileSync('docs/api-report.md', report);
