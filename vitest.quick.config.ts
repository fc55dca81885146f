import { defineConfig } from 'vitest/config';
import whole from './vitest.config.js';

/** What a change breaks most often, in less than a minute: `npm run test:quick`. */
export default defineConfig({
  ...whole,
  test: {
    ...whole.test,
    include: ['test/unit/**/*.spec.ts', 'test/gateway/{first-messages,upgrade,validation,channels}.spec.ts'],
    // Faults end, freeze and restart Redis. A walk takes as long as ten other files.
    exclude: ['test/unit/**/*-{faults,walk}.spec.ts'],
  },
});
