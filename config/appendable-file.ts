import { accessSync, constants, statSync } from 'node:fs';
import { dirname } from 'node:path';

/** @throws Error saying why nothing can be appended to this file, which need not exist */
export function checkAppendableFile(path: string): void {
  const state = statSync(path, { throwIfNoEntry: false });
  if (state?.isDirectory()) throw new Error('must name a file, not a folder');
  // Opening one waits for a reader, and with it the start would.
  if (state?.isFIFO() || state?.isSocket()) throw new Error('must name a file, not a pipe or socket');
  const target = state === undefined ? dirname(path) : path;
  try {
    accessSync(target, constants.W_OK);
  } catch (error) {
    const { code = 'unknown' } = error as NodeJS.ErrnoException;
    throw new Error(`must name a file that can be written (${target}: ${code})`, { cause: error });
  }
}
