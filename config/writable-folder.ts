import { accessSync, constants, statSync } from 'node:fs';

/** @throws Error saying why no file can be created in this folder */
export function checkWritableFolder(path: string): void {
  const state = statSync(path, { throwIfNoEntry: false });
  if (state === undefined) throw new Error('must name a folder that exists');
  if (!state.isDirectory()) throw new Error('must name a folder');
  try {
    accessSync(path, constants.W_OK | constants.X_OK);
  } catch (error) {
    const { code = 'unknown' } = error as NodeJS.ErrnoException;
    throw new Error(`must name a folder that can be written (${code})`, { cause: error });
  }
}
