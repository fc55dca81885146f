import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const FILE = join('.gatehouse', 'development-secret');

/**
 * The secret of a development server without a key. It is made once and kept in a file that git ignores, so that `npm
 * run token` in another terminal, and the next start, sign with the same one. If the folder cannot be written, it lasts
 * as long as the process.
 */
export function developmentSecret(directory = process.cwd()): string {
  const path = join(directory, FILE);
  try {
    const kept = readFileSync(path, 'utf8').trim();
    if (kept.length >= 32) return kept;
  } catch {
    // No file yet: the first start in this folder.
  }
  const secret = randomBytes(32).toString('base64url');
  try {
    mkdirSync(join(directory, '.gatehouse'), { recursive: true });
    writeFileSync(path, `${secret}\n`, { mode: 0o600 });
  } catch {
    // A read-only folder: the secret lasts as long as the process, and the start-up link still works.
  }
  return secret;
}
