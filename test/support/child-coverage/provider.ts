import v8 from '@vitest/coverage-v8';
import type { CoverageProviderModule } from 'vitest/node';

/** Vitest's coverage of its workers, and that of the processes that tests start. */
const provider: CoverageProviderModule = {
  ...v8,
  async getProvider() {
    // Only the main process of Vitest needs it, and every worker loads this file.
    const { withChildren } = await import('./with-children.js');
    return withChildren(await v8.getProvider());
  },
};

export default provider;
