import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';

export const SHARED_BUILD = 'GATEHOUSE_TEST_BUILD';

/** Of one run all files of tests share a build: each one costs seconds of a processor. Who watches wants what is there now. */
export function setup({ config }: TestProject): (() => void) | undefined {
  if (config.watch) return undefined;
  const folder = join(config.root, 'node_modules', `.gatehouse-build-${process.pid}`);
  process.env[SHARED_BUILD] = folder;
  return () => {
    for (const path of [folder, `${folder}.lock`]) rmSync(path, { recursive: true, force: true });
  };
}
