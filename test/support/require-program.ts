import { TestRunner } from 'vitest';
import { lackOf, pathOf, PROGRAMS, type ProgramName } from './programs.js';

/**
 * Returns the path of a program that the running test cannot do without. Skips the test where the program is missing; a hook
 * cannot skip, so a suite that starts a program in one needs the tag.
 */
export function requireProgram(name: ProgramName): string {
  const path = pathOf(name);
  if (path !== undefined) return path;
  TestRunner.getCurrentTest()?.context.skip(lackOf(name));
  throw new Error(`${PROGRAMS[name].title} is missing. A suite that starts it in a hook has the tag '${name}'`);
}
