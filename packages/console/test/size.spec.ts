import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';

const MOST_BYTES = 45 * 1_024;

it('the console is at most 45 KiB, compressed', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-console-'));
  try {
    execFileSync(process.execPath, [resolve('packages/console/build.mjs'), folder]);
    const files = readdirSync(folder).sort();
    expect(files).toEqual(['console.css', 'console.js', 'index.html']);
    const bytes = files.reduce((sum, name) => sum + gzipSync(readFileSync(join(folder, name))).length, 0);
    expect(bytes).toBeLessThanOrEqual(MOST_BYTES);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
