import { accessSync, constants, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { checkWritableFolder } from './writable-folder.js';

/** @throws Error saying why this file, which need not exist, cannot be opened for appending */
export function checkAppendableFile(path: string): void {
  const state = statSync(path, { throwIfNoEntry: false });
  if (state?.isDirectory()) throw new Error('must name a file, not a folder');
  // Opening a pipe waits for a reader, and would block the start.
  if (state?.isFIFO() || state?.isSocket()) throw new Error('must name a file, not a pipe or socket');
  const target = state === undefined ? dirname(path) : path;
  try {
    accessSync(target, constants.W_OK);
  } catch (error) {
    const { code = 'unknown' } = error as NodeJS.ErrnoException;
    throw new Error(`must name a file that can be written (${target}: ${code})`, { cause: error });
  }
}

/** The files in LOG_DIR. */
export const LOG_FILES = { combined: 'combined.log', errors: 'error.log' } as const;

/** @throws Error saying why log files cannot be written and rotated in this folder */
export function checkLogFolder(path: string): void {
  // Rotation renames files, so writable files are not enough.
  checkWritableFolder(path);
  for (const name of Object.values(LOG_FILES)) {
    try {
      checkAppendableFile(join(path, name));
    } catch (error) {
      throw new Error(`must name a folder whose ${name} can be written: it ${(error as Error).message}`, {
        cause: error,
      });
    }
  }
}
