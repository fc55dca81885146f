import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CoverageProvider, ReportContext, Vitest } from 'vitest/node';
import { CHILD_COVERAGE } from './child-coverage.js';
import { alignedWith, coverageOfChildren, type FileCoverageData } from './coverage-of-children.js';

interface FileCoverage {
  readonly data: FileCoverageData;
  merge(other: FileCoverageData): void;
}

interface CoverageMap {
  files(): string[];
  fileCoverageFor(path: string): FileCoverage;
}

/** Adds to what a provider counts in Vitest's workers what the compiled server did in processes of its own. */
export function withChildren(provider: CoverageProvider): CoverageProvider {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-coverage-'));
  // Workers inherit it.
  process.env[CHILD_COVERAGE] = folder;
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  let root = process.cwd();
  const initialize = provider.initialize.bind(provider);
  const generateCoverage = provider.generateCoverage.bind(provider);
  provider.initialize = (vitest: Vitest) => {
    ({ root } = vitest.config);
    return initialize(vitest);
  };
  // The builds are still there: Vitest removes them after its report.
  provider.generateCoverage = async (context: ReportContext) => {
    const map = (await generateCoverage(context)) as CoverageMap;
    const children = await coverageOfChildren(folder, root);
    for (const path of map.files()) {
      const child = children.get(path);
      const file = map.fileCoverageFor(path);
      if (child !== undefined) file.merge(alignedWith(file.data, child));
    }
    process.stdout.write(`Processes that tests started ran ${children.size} files of the server\n`);
    return map;
  };
  return provider;
}
