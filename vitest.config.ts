import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.spec.ts'],
    globalSetup: ['./test/support/install-programs.ts', './test/support/shared-build.ts'],
    reporters: ['default', './test/support/closing-line-reporter.ts'],
    // What hangs, not what is slow: a starved process takes many times as long as it needs alone.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 45_000 } },
    maxWorkers: 4,
    // Files of one worker share their modules: importing Nest anew for each took more time than the tests.
    isolate: false,
  },
});
