import type { Reporter, TestCase, TestModule } from 'vitest/node';
import { has, lackOf, PROGRAM_NAMES, PROGRAMS, type ProgramName } from './programs.js';

/**
 * Ends a run with the programs that skipped tests need, if any, and with one plain line, `N passed, N failed`, that any CI can
 * read.
 */
export default class ClosingLineReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const count = { passed: 0, failed: unhandledErrors.length, skipped: 0 };
    const lacking = new Set<ProgramName>();
    for (const module of modules) {
      if (module.errors().length > 0) count.failed += 1;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state !== 'pending') count[state] += 1;
        for (const name of lackedBy(test)) lacking.add(name);
      }
    }
    process.on('exit', () => {
      const skipped = count.skipped > 0 ? `, ${count.skipped} skipped` : '';
      process.stdout.write(`\n${adviceFor(lacking)}${count.passed} passed, ${count.failed} failed${skipped}\n`);
    });
  }
}

/** The programs that are missing for a test, by its tags or by what it found when it ran. */
function lackedBy(test: TestCase): ProgramName[] {
  const result = test.result();
  if (result.state !== 'skipped') return [];
  const { note } = result;
  return PROGRAM_NAMES.filter((name) => !has(name) && (test.tags.includes(name) || note === lackOf(name)));
}

function adviceFor(lacking: ReadonlySet<ProgramName>): string {
  if (lacking.size === 0) return '';
  const titles = PROGRAM_NAMES.filter((name) => lacking.has(name)).map((name) => PROGRAMS[name].title);
  return `Skipped the tests that need ${titles.join('; ')}. To get what is missing: npm run test:setup\n`;
}
