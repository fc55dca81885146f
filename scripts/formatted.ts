import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { format, type FormatConfig } from 'oxfmt';

/** Formats a file that we write as `npm run format` would. */
export async function formatted(path: string, text: string): Promise<string> {
  const { ignorePatterns: _, ...style } = JSON.parse(readFileSync('.oxfmtrc.json', 'utf8')) as FormatConfig & {
    readonly ignorePatterns: unknown;
  };
  const { code, errors } = await format(basename(path), text, style);
  if (errors.length > 0) throw new Error(`${path}: ${errors.map(({ message }) => message).join(', ')}`);
  return code;
}
