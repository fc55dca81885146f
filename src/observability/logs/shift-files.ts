import { rename, stat } from 'node:fs/promises';

/**
 * Gives `path` the name `path.1`, what had that one `path.2`, and so on; what was the last of those that are kept is gone.
 * Nothing happens where there is no such file any more: then a former attempt has come that far.
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
