import { defineConfig } from 'vitest/config';
import whole from './vitest.config.js';

/** Counts the statements that tests run, also in processes that they start: `npm run test:coverage`. */
export default defineConfig({
  ...whole,
  test: {
    ...whole.test,
    setupFiles: ['./test/support/child-coverage/keep-counting.ts'],
    coverage: {
      enabled: true,
      provider: 'custom',
      customProviderModule: './test/support/child-coverage/provider.ts',
      include: ['config/**/*.ts', 'src/**/*.ts', 'packages/{protocol,client,create-gatehouse}/src/**/*.{ts,tsx}'],
      reporter: ['text', 'text-summary', 'json-summary', 'html'],
      // A report of a run in which one test failed is better than none after so many minutes.
      reportOnFailure: true,
    },
  },
});
