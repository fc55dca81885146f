import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { LineFile, type Rotation } from '../../../../src/observability/logs/line-file.js';
import { eventually } from '../../../support/eventually.js';

const KIBIBYTE = `${'x'.repeat(1_023)}\n`;
/** A disk that is full; Linux has it. */
const hasFullDisk = existsSync('/dev/full');

function temporaryFolder(): string {
  const path = mkdtempSync(join(tmpdir(), 'gatehouse-'));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

function opened(path: string, rotation?: Rotation): LineFile {
  const file = new LineFile(path, { setting: 'AUDIT_FILE', ...(rotation && { rotation }) });
  onTestFinished(() => file.close());
  return file;
}

/** What a file told of itself, in order, and how often it was refused and dropped lines. */
function toldOf(file: LineFile): { readonly lines: string[]; refused: number; dropped: number } {
  const told = { lines: [] as string[], refused: 0, dropped: 0 };
  file.on('failed', (reason) => told.lines.push(`failed: ${reason}`));
  file.on('recovered', (lost) => told.lines.push(`recovered: ${lost}`));
  file.on('refused', () => (told.refused += 1));
  file.on('dropped', () => (told.dropped += 1));
  return told;
}

/** A file in a folder of its own, which looks for its name only while that is awaited, and then often. */
function inFolder(): { folder: string; path: string; file: LineFile; looksUntil: typeof eventually } {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  onTestFinished(() => void vi.useRealTimers());
  const folder = join(temporaryFolder(), 'logs');
  mkdirSync(folder);
  const path = join(folder, 'audit.log');
  const looksUntil: typeof eventually = (what, holds) =>
    eventually(what, () => {
      vi.advanceTimersByTime(1_000);
      return holds();
    });
  return { folder, path, file: opened(path), looksUntil };
}

/** Empty if there is no such file, as between the two steps of a rotation. */
function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return '';
  }
}

describe('a file of lines', () => {
  it('is appended to, in order, and not readable by others', async () => {
    const path = join(temporaryFolder(), 'audit.log');
    for (const run of ['first', 'second']) {
      const file = new LineFile(path, { setting: 'AUDIT_FILE' });
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
    const file = new LineFile('/dev/full', { setting: 'AUDIT_FILE' });
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

  it('goes on in a folder that was moved away and back, and tells each once', async () => {
    const { folder, path, file, looksUntil } = inFolder();
    const told = toldOf(file);
    for (const round of [1, 2]) {
      const before = told.refused;
      renameSync(folder, `${folder}.away`);
      await looksUntil('a new file was refused, and again', () => told.refused > before + 2);
      file.write(`away ${round}\n`);
      await eventually('the line is there', () => textOf(join(`${folder}.away`, 'audit.log')).endsWith(`${round}\n`));
      renameSync(`${folder}.away`, folder);
      await looksUntil('the return is told', () => told.lines.length >= 2 * round);
    }
    expect(told.lines).toEqual(['failed: ENOENT', 'recovered: 0', 'failed: ENOENT', 'recovered: 0']);
    expect(told.dropped).toBe(0);
    expect(textOf(path)).toBe('away 1\naway 2\n');
  });

  it('is begun anew at the next line where it was deleted', async () => {
    const { path, file } = inFolder();
    const told = toldOf(file);
    for (const line of ['one\n', 'two\n']) {
      rmSync(path);
      file.write(line);
      await eventually('the line is there', () => textOf(path) === line);
    }
    expect(told.lines).toEqual([]);
  });

  it('keeps lines for a folder that was deleted, up to a bound, and tells so once', async () => {
    const { folder, path, file, looksUntil } = inFolder();
    const told = toldOf(file);
    rmSync(folder, { recursive: true });
    file.write('the first\n');
    await eventually('it is told', () => told.lines.length === 1);
    for (let line = 0; line < 1_100; line += 1) file.write(KIBIBYTE);
    expect(told.dropped).toBe(77);
    await looksUntil('it was tried again', () => told.refused > 1);

    mkdirSync(folder);
    await looksUntil('all that was kept is there', () => textOf(path).length === 10 + 1_023 * 1_024);
    expect(textOf(path).startsWith('the first\n')).toBe(true);
    await eventually('it is told', () => told.lines.length === 2);
    expect(told.lines).toEqual(['failed: ENOENT', 'recovered: 77']);
  });

  it.each(['back', 'away'])('keeps lines for a folder that was moved, and deleted when it was %s', async (when) => {
    const { folder, path, file, looksUntil } = inFolder();
    const away = `${folder}.away`;
    const told = toldOf(file);
    renameSync(folder, away);
    await looksUntil('the move is told', () => told.lines.length === 1);
    if (when === 'back') {
      renameSync(away, folder);
      await looksUntil('the return is told', () => told.lines.length === 2);
    }
    rmSync(when === 'back' ? folder : away, { recursive: true });
    const before = told.refused;
    file.write('one\n');
    await looksUntil('it was tried again', () => told.refused > before);
    file.write('two\n');
    mkdirSync(folder);
    await looksUntil('both lines are there', () => textOf(path) === 'one\ntwo\n');
    const once = ['failed: ENOENT', 'recovered: 0'];
    await eventually('the end is told', () => told.lines.at(-1) === once[1]);
    expect(told.lines).toEqual(when === 'back' ? [...once, ...once] : once);
  });

  it('writes what waits for a folder at its end, where that is back by then', async () => {
    const { folder, path, file } = inFolder();
    const told = toldOf(file);
    rmSync(folder, { recursive: true });
    file.write('the last\n');
    await eventually('it is told', () => told.lines.length === 1);
    mkdirSync(folder);
    writeFileSync(path, 'of others\n');
    await file.close();
    expect(textOf(path)).toBe('of others\nthe last\n');
  });

  it('gets the lines of ten milliseconds in one write', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const path = join(temporaryFolder(), 'audit.log');
    const file = opened(path);
    let writes = 0;
    file.on('idle', () => (writes += 1));
    file.write('one\n');
    await new Promise(setImmediate);
    vi.advanceTimersByTime(9);
    file.write('two\n');
    await new Promise(setImmediate);
    expect([writes, textOf(path)]).toEqual([0, '']);
    vi.advanceTimersByTime(1);
    await eventually('they are written', () => writes > 0);
    expect([writes, textOf(path)]).toEqual([1, 'one\ntwo\n']);
  });

  it('gets at once what fills a write', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const path = join(temporaryFolder(), 'audit.log');
    const file = opened(path);
    for (let line = 0; line < 64; line += 1) file.write(KIBIBYTE);
    await eventually('they are written', () => textOf(path).length === 65_536);
  });

  it('is rotated by size: no line is torn or lost, and the oldest file goes', async () => {
    const path = join(temporaryFolder(), 'combined.log');
    const file = opened(path, { maxBytes: 100_000, kept: 2 });
    for (let number = 0; number < 5_000; number += 1) {
      file.write(`${number} ${'x'.repeat(95)}\n`);
      if (number % 500 === 0) await new Promise(setImmediate);
    }
    await file.close();
    const names = readdirSync(dirname(path)).sort();
    expect(names).toEqual(['combined.log', 'combined.log.1', 'combined.log.2']);
    const numbers = [`${path}.2`, `${path}.1`, path].flatMap((name) =>
      textOf(name)
        .trimEnd()
        .split('\n')
        .map((line) => Number(line.split(' ')[0])),
    );
    const first = numbers[0] ?? 0;
    expect(numbers).toEqual(Array.from({ length: 5_000 - first }, (_, index) => first + index));
    // A batch may come on top.
    expect(statSync(`${path}.1`).size).toBeLessThan(100_000 + 2 * 65_536);
  });

  it('waits for its turn where it cannot be rotated, and has no end without bound', async () => {
    const path = join(temporaryFolder(), 'combined.log');
    // What is no file cannot be renamed over by one.
    mkdirSync(join(`${path}.1`, 'in-the-way'), { recursive: true });
    const file = opened(path, { maxBytes: 1_024, kept: 1 });
    const failures: string[] = [];
    file.on('failed', (reason) => failures.push(reason));
    // The line can be read before its write has ended: what comes meanwhile would be one batch with all that follows.
    const isWritten = new Promise<void>((resolve) => void file.once('idle', resolve));
    file.write(KIBIBYTE);
    await isWritten;
    for (let line = 0; line < 10; line += 1) file.write(KIBIBYTE);
    await eventually('it is told', () => failures.length === 1);
    expect([failures, textOf(path).length]).toEqual([[expect.stringMatching(/^E/)], 1_024]);
    rmSync(`${path}.1`, { recursive: true });
    // What had the name first is rotated away by now.
    const written = (): number => textOf(path).length + textOf(`${path}.1`).length;
    await eventually('all is written', () => written() === 11 * 1_024);
  });

  it('is named where it cannot be opened', () => {
    expect(() => new LineFile('/nowhere/audit.log', { setting: 'AUDIT_FILE' })).toThrow(
      'AUDIT_FILE cannot be opened for appending: ENOENT',
    );
  });
});
