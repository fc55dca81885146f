import { rename, stat } from 'node:fs/promises';

/**
 * Renames `path` to `path.1`, `path.1` to `path.2`, and so on; the last one is removed. Does nothing if `path` does not
 * exist, because an earlier attempt has then come that far.
 */
export async function shiftFiles(path: string, kept: number): Promise<void> {
  if (!(await stat(path).catch(() => undefined))) return;
  for (let number = kept; number > 1; number -= 1) await renameWhereThere(`${path}.${number - 1}`, `${path}.${number}`);
  await rename(path, `${path}.1`);
}

async function renameWhereThere(from: string, to: string): Promise<void> {
  await rename(from, to).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
}
