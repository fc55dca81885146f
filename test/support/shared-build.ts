import { readdir, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { TestProject } from 'vitest/node';

export const SHARED_BUILD = 'GATEHOUSE_TEST_BUILD';

/**
 * The test files of one run share what is expensive to build. `onceARun` makes it beside this path, and this removes it. If
 * Vitest watches, each file builds what it needs, because the sources change.
 */
export function setup({ config }: TestProject): (() => Promise<void>) | undefined {
  if (config.watch) return undefined;
  const path = join(config.root, 'node_modules', `.gatehouse-build-${process.pid}`);
  process.env[SHARED_BUILD] = path;
  return async () => {
    for (const name of await readdir(dirname(path))) {
      if (!name.startsWith(`${basename(path)}-`)) continue;
      // A browser that is still ending writes to its profile.
      await rm(join(dirname(path), name), { recursive: true, force: true, maxRetries: 20 });
    }
  };
}
