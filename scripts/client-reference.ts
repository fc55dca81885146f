import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { referenceOf, withReference, CLIENT_PAGE } from './client-types.js';

/** Writes the reference in docs/client.md from the types of packages/client. `--check` only compares, and fails on a difference. */
const page = readFileSync(CLIENT_PAGE, 'utf8');
const current = await withReference(page, referenceOf(resolve('packages/client/src')));
if (!process.argv.includes('--check')) writeFileSync(CLIENT_PAGE, current);
else if (page !== current) {
  console.error(`The reference in ${CLIENT_PAGE} is not that of the types. Run npm run client:reference.`);
  process.exitCode = 1;
}
