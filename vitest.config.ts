import { availableParallelism, totalmem } from 'node:os';
import { resolve } from 'node:path';
import { defineConfig } from 'vitest/config';
import { has, PROGRAM_NAMES, PROGRAMS } from './test/support/programs.js';
import { SlowFilesFirst } from './test/support/slow-files-first.js';

/** With the servers that its tests start. Six workers take 6.5 GB at most. */
const BYTES_A_WORKER = 1.5 * 1024 ** 3;

/** Of the machine, or of the container. */
function memoryBytes(): number {
  return Math.min(totalmem(), process.constrainedMemory() || Infinity);
}

export default defineConfig({
  // As `paths` of tsconfig.json: in the repository the package's own name is its source.
  resolve: {
    alias: [
      { find: /^gatehouse$/, replacement: resolve('src/public.ts') },
      { find: /^gatehouse\/testing$/, replacement: resolve('src/testing/testing.ts') },
      { find: /^gatehouse\/serverless$/, replacement: resolve('src/serverless/serverless.ts') },
      { find: /^@gatehouse\/protocol$/, replacement: resolve('packages/protocol/src/protocol.ts') },
      { find: /^@gatehouse\/client$/, replacement: resolve('packages/client/src/index.ts') },
      { find: /^@gatehouse\/client\/msgpack$/, replacement: resolve('packages/client/src/msgpack.ts') },
    ],
  },
  test: {
    include: ['test/**/*.spec.ts', 'packages/*/test/**/*.spec.ts'],
    globalSetup: ['./test/support/shared-build.ts'],
    reporters: ['default', './test/support/closing-line-reporter.ts'],
    // What hangs, not what is slow: a starved process takes many times as long as it needs alone.
    testTimeout: 900_000,
    hookTimeout: 900_000,
    expect: { poll: { timeout: 120_000 } },
    // No `skip: false`: it would undo the `skip` of another tag of the same test.
    tags: PROGRAM_NAMES.map((name) => ({
      name,
      description: PROGRAMS[name].purpose,
      ...(!has(name) && { skip: true }),
    })),
    // Most tests wait for sockets and processes, so that four workers share a core well.
    maxWorkers: Math.min(4 * availableParallelism(), Math.max(2, Math.floor(memoryBytes() / BYTES_A_WORKER))),
    sequence: { sequencer: SlowFilesFirst },
    // Files of one worker share their modules: importing Nest anew for each took more time than the tests.
    isolate: false,
  },
});
