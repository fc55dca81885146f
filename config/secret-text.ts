import { readFileSync } from 'node:fs';

const FILE = 'file:';

/**
 * Returns a text of a configuration file, or the content of the file that it names as `file:<path>`.
 *
 * @throws Error that never quotes the text
 */
export function secretText(value: unknown): string {
  if (typeof value !== 'string' || value === '') throw new Error('must be a text, or file:<path>');
  if (!value.startsWith(FILE)) return value;
  const path = value.slice(FILE.length);
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    const { code = 'unknown' } = error as NodeJS.ErrnoException;
    throw new Error(`names the file ${path}, which cannot be read (${code})`, { cause: error });
  }
}
