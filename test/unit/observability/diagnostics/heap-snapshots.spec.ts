import { existsSync, writeFileSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Counter } from 'prom-client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadSettings } from '../../../../config/settings.js';
import type { NodeReporter } from '../../../../src/lifecycle/node-reporter.js';
import { DeepLook } from '../../../../src/observability/diagnostics/deep-look.js';
import { shortageOf } from '../../../../src/observability/diagnostics/heap-room.js';
import { HeapSnapshots } from '../../../../src/observability/diagnostics/heap-snapshots.js';
import { SnapshotRecord } from '../../../../src/observability/diagnostics/snapshot-record.js';
import type { Logs } from '../../../../src/observability/logs/logs.js';

const MIB = 1_048_576;
let folder = '';
beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), 'gatehouse-test-'))));
afterEach(() => rm(folder, { recursive: true }));

type Write = (path: string) => void;

function snapshots(write: Write, refusals: string[] = []): HeapSnapshots {
  const settings = loadSettings({ NODE_ENV: 'test', DIAGNOSTICS_DIR: folder, HEAP_SNAPSHOT_PAUSE_MS: '0' });
  const taken = { inc: () => {} } as unknown as Counter;
  const refused = { inc: ({ reason }: { reason: string }) => refusals.push(reason) } as unknown as Counter;
  const record = new SnapshotRecord(taken, refused, { write: () => {} } as unknown as Logs);
  const reporter = { report: () => Promise.resolve() } as NodeReporter;
  return new HeapSnapshots(settings, { write }, record, new DeepLook(), reporter);
}

const written: Write = (path) => writeFileSync(path, '{}');

describe('the room for a heap snapshot', () => {
  it('is short where memory or disk has less than it takes', () => {
    const room = { heapBytes: 100 * MIB, availableBytes: 801 * MIB, freeBytes: 221 * MIB };
    expect(shortageOf(room)).toBeUndefined();
    expect(shortageOf({ ...room, availableBytes: 799 * MIB })).toEqual({
      of: 'memory',
      sentence: 'A heap snapshot takes about 800 MiB of memory, and 799 MiB are free',
    });
    expect(shortageOf({ ...room, freeBytes: 5 * MIB })).toEqual({
      of: 'disk',
      sentence: 'A heap snapshot takes about 220 MiB of disk, and 5 MiB are free',
    });
  });
});

describe('a heap snapshot', () => {
  it('that the disk does not take is refused, leaves nothing behind, and the next one is taken', async () => {
    const refusals: string[] = [];
    let isFull = true;
    const subject = snapshots((path) => {
      writeFileSync(path, '{');
      if (isFull) throw Object.assign(new Error('no space'), { code: 'ENOSPC' });
    }, refusals);
    const sentence = 'A heap snapshot cannot be written (ENOSPC); see DIAGNOSTICS_DIR';
    await expect(subject.take('n')).rejects.toMatchObject({ reason: 'no_room', message: sentence });
    await expect(subject.keep('n', folder)).rejects.toMatchObject({ reason: 'no_room' });
    expect(await readdir(folder)).toEqual([]);
    expect(refusals).toEqual(['unwritable', 'unwritable']);
    isFull = false;
    const { content, bytes } = await subject.take('n');
    expect([bytes, await text(content)]).toEqual([1, '{']);
  });

  it('counts what processes left half-written that died meanwhile', async () => {
    const subject = snapshots(written);
    for (const name of ['a.heapsnapshot', 'b.heapsnapshot.part', 'notes.txt']) await writeFile(join(folder, name), '');
    expect(existsSync(await subject.keep('n', folder))).toBe(true);
    await expect(subject.keep('n', folder)).rejects.toThrow('DIAGNOSTICS_DIR holds 3 of 3 snapshots');
  });

  it('clears away what such a process left of one that was to be handed out, once it is old', async () => {
    const [old, young] = [join(folder, 'gatehouse-heap-old'), join(folder, 'gatehouse-heap-young')];
    for (const left of [old, young]) await mkdir(left);
    const longAgo = new Date(Date.now() - 7_200_000);
    await utimes(old, longAgo, longAgo);
    const { content } = await snapshots(written).take('n');
    content.destroy();
    expect([existsSync(old), existsSync(young)]).toEqual([false, true]);
  });
});
