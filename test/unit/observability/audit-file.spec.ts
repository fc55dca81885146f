import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { AuditFile } from '../../../src/observability/audit-file.js';
import { eventually } from '../../support/eventually.js';

const KIBIBYTE = `${'x'.repeat(1_023)}\n`;
/** A disk that is full; Linux has it. */
const hasFullDisk = existsSync('/dev/full');

function temporaryFolder(): string {
  const path = mkdtempSync(join(tmpdir(), 'gatehouse-'));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

function opened(path: string): AuditFile {
  const file = new AuditFile(path);
  onTestFinished(() => file.close());
  return file;
}

const textOf = (path: string): string => (existsSync(path) ? readFileSync(path, 'utf8') : '');

describe('the audit file', () => {
  it('is appended to, in order, and not readable by others', async () => {
    const path = join(temporaryFolder(), 'audit.log');
    for (const run of ['first', 'second']) {
      const file = new AuditFile(path);
      for (let line = 0; line < 1_000; line += 1) file.write(`${run} ${line}\n`);
      await file.close();
    }
    const expected = ['first', 'second'].flatMap((run) => Array.from({ length: 1_000 }, (_, line) => `${run} ${line}`));
    expect(textOf(path)).toBe(`${expected.join('\n')}\n`);
    expect(statSync(path).mode & 0o007).toBe(0);
  });

  it('is begun anew where it was renamed, and goes on where it was truncated', async () => {
    const path = join(temporaryFolder(), 'audit.log');
    const file = opened(path);
    file.write('one\n');
    await eventually('the first line is there', () => textOf(path) === 'one\n');
    renameSync(path, `${path}.1`);
    await eventually('there is a new file', () => existsSync(path));
    file.write('two\n');
    await eventually('the second line is there', () => textOf(path) === 'two\n');
    expect(textOf(`${path}.1`)).toBe('one\n');
    truncateSync(path);
    file.write('three\n');
    await eventually('the third line is there', () => textOf(path) === 'three\n');
  });

  it.runIf(hasFullDisk)(
    'keeps lines for a full disk up to a bound, tells so once, and writes them when there is room',
    async () => {
      const path = join(temporaryFolder(), 'audit.log');
      const counts = { failed: 0, refused: 0, dropped: 0 };
      symlinkSync('/dev/full', path);
      const file = opened(path);
      const reasons: string[] = [];
      file.on('failed', (reason) => reasons.push(reason));
      file.on('refused', () => (counts.refused += 1));
      file.on('dropped', () => (counts.dropped += 1));
      file.write('the first\n');
      await eventually('it was refused', () => counts.refused > 0);
      for (let line = 0; line < 2_000; line += 1) file.write(KIBIBYTE);
      expect(counts.dropped).toBe(977);
      await eventually('it was tried again', () => counts.refused > 1);
      expect(reasons).toEqual(['ENOSPC']);

      const recovered = new Promise<number>((resolve) => void file.once('recovered', resolve));
      rmSync(path);
      expect(await recovered).toBe(977);
      await eventually('all that was kept is there', () => textOf(path).length === 10 + 1_023 * 1_024);
      expect(textOf(path).startsWith('the first\n')).toBe(true);
    },
  );

  it.runIf(hasFullDisk)('ends in time, though the disk takes nothing', async () => {
    const file = new AuditFile('/dev/full');
    file.write('a line\n');
    await file.close();
    file.write('a line too late\n');
  });

  it.runIf(process.platform === 'linux')('goes on where it was, when a pipe stands in its place', async () => {
    const path = join(temporaryFolder(), 'audit.log');
    const file = opened(path);
    const failures: string[] = [];
    file.on('failed', (reason) => failures.push(reason));
    renameSync(path, `${path}.1`);
    execFileSync('mkfifo', [path]);
    await eventually('it is told', () => failures.length === 1);
    file.write('one\n');
    await eventually('it is in the old file', () => textOf(`${path}.1`) === 'one\n');
    expect(failures).toEqual(['ENXIO']);
  });

  it('is named where it cannot be opened', () => {
    expect(() => new AuditFile('/nowhere/audit.log')).toThrow('AUDIT_FILE cannot be opened for appending: ENOENT');
  });
});
