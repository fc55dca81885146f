import { writeFileSync } from 'node:fs';
import { apiReport, REPORT } from './public-api.js';

/** Writes docs/api-report.md from the declarations in dist/, which `npm run api:report` makes first. */
const { report, undocumented } = await apiReport('dist');
if (undocumented.length > 0) throw new Error(`Without a doc comment: ${undocumented.join(', ')}`);
writeFileSync(REPORT, report);
