import { Inject, Injectable } from '@nestjs/common';
import { Settings } from '../../../config/settings.js';
import { mkdtemp, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { NodeReporter } from '../../lifecycle/node-reporter.js';
import { DiagnosticsRefusal } from './diagnostics-refusal.js';
import { DeepLook } from './deep-look.js';
import { fileName, type Download } from './download.js';
import { roomIn, shortageOf } from './heap-room.js';
import type { SnapshotCause, SnapshotRefusal } from './heap-metrics.js';
import { SnapshotRecord } from './snapshot-record.js';

/** The part of V8. */
export abstract class SnapshotWriter {
  /** Returns when the file is complete. Nothing else happens in the process meanwhile. */
  abstract write(path: string): void;
}

const EXTENSION = 'heapsnapshot';
/**
 * Counts also files of processes that died while writing: a node that dies of its memory again and again must not fill
 * the disk.
 */
const KEPT_FILE = /\.heapsnapshot(?:\.part)?$/;
const SCRATCH = 'gatehouse-heap-';
/** A file this old was left by a process that died, because no snapshot takes this long. */
const STALE_MS = 3_600_000;
/** How long the process goes on before it is stopped. */
const BREATH_MS = 20;

/**
 * Writes the content of the memory to a file. V8 stops the process meanwhile and needs memory beside the heap.
 *
 * Uses `writeHeapSnapshot`, because `getHeapSnapshot` makes the whole text in memory before the first byte is read,
 * however slowly its reader reads.
 */
@Injectable()
export class HeapSnapshots {
  private lastAt = -Infinity;

  constructor(
    @Inject(Settings) private readonly settings: Pick<Settings, 'diagnostics'>,
    private readonly writer: SnapshotWriter,
    private readonly record: SnapshotRecord,
    private readonly look: DeepLook,
    private readonly reporter: NodeReporter,
  ) {}

  /**
   * A snapshot for download. Its file is unlinked before the first byte is sent, so nothing is left behind if the
   * caller or the process dies.
   *
   * @throws DiagnosticsRefusal
   */
  async take(nodeId: string): Promise<Download> {
    if (this.settings.diagnostics.heapSnapshots === 'off')
      throw new DiagnosticsRefusal('off', 'HEAP_SNAPSHOTS is off on this node');
    this.demandPause();
    const end = this.begin();
    try {
      const file = await this.writeNameless(this.settings.diagnostics.folder ?? tmpdir());
      const { size } = await file.stat();
      // With the end known, there is no further read after the last byte.
      const content = file.createReadStream({ end: size - 1 });
      content.once('end', end);
      content.once('close', end);
      return { name: fileName(nodeId, EXTENSION), bytes: size, content };
    } catch (error) {
      end();
      throw error;
    }
  }

  /**
   * A snapshot that stays in a folder.
   *
   * @returns its path
   * @throws DiagnosticsRefusal `under_way`, or `no_room`, also if the folder is full
   */
  async keep(nodeId: string, folder: string): Promise<string> {
    const end = this.begin();
    try {
      const { maxFiles } = this.settings.diagnostics;
      const present = (await readdir(folder)).filter((name) => KEPT_FILE.test(name)).length;
      if (present >= maxFiles) throw this.refusal('files', `DIAGNOSTICS_DIR holds ${present} of ${maxFiles} snapshots`);
      const path = join(folder, fileName(nodeId, EXTENSION));
      await this.write(`${path}.part`, { cause: 'automatic', folder, path });
      await rename(`${path}.part`, path);
      return path;
    } finally {
      end();
    }
  }

  private begin(): () => void {
    try {
      return this.look.begin();
    } catch (busy) {
      this.record.refused('under_way');
      throw busy;
    }
  }

  private demandPause(): void {
    const remaining = this.lastAt + this.settings.diagnostics.heapSnapshotPauseMs - performance.now();
    if (remaining <= 0) return;
    this.record.refused('too_soon');
    const sentence = 'The last heap snapshot was less than HEAP_SNAPSHOT_PAUSE_MS ago';
    throw new DiagnosticsRefusal('too_soon', sentence, remaining);
  }

  private async writeNameless(folder: string): Promise<Awaited<ReturnType<typeof open>>> {
    await clearStale(folder);
    // A folder of our own, so nobody else can have put a link in place of the file.
    const scratch = await mkdtemp(join(folder, SCRATCH)).catch((error: unknown) => this.unwritable(error));
    try {
      const path = join(scratch, EXTENSION);
      await this.write(path, { cause: 'operator', folder });
      return await open(path);
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
  }

  /** @param as its final path, if it stays */
  private async write(path: string, as: { cause: SnapshotCause; folder: string; path?: string }): Promise<void> {
    const { cause, folder, path: file } = as;
    const { heapBytes, ...room } = await roomIn(folder);
    const shortage = shortageOf({ heapBytes, ...room });
    if (shortage) throw this.refusal(shortage.of, shortage.sentence);
    this.record.begun({ cause, file }, heapBytes);
    // The lease is as long as possible when the process stops answering, and pending output and log lines are sent.
    await this.reporter.report();
    await pause(BREATH_MS);
    const beganAt = performance.now();
    try {
      this.writer.write(path);
    } catch (error) {
      await rm(path, { force: true });
      this.unwritable(error);
    } finally {
      this.lastAt = performance.now();
    }
    const { size: bytes } = await stat(path);
    this.record.written({ cause, file }, { bytes, heldUpMs: this.lastAt - beganAt });
  }

  private unwritable(error: unknown): never {
    const { code = 'unknown' } = error as NodeJS.ErrnoException;
    throw this.refusal('unwritable', `A heap snapshot cannot be written (${code}); see DIAGNOSTICS_DIR`);
  }

  private refusal(reason: SnapshotRefusal, sentence: string): DiagnosticsRefusal {
    this.record.refused(reason);
    return new DiagnosticsRefusal('no_room', sentence);
  }
}

/** Removes files of processes that died while writing. */
async function clearStale(folder: string): Promise<void> {
  const names = (await readdir(folder).catch(() => [])).filter((name) => name.startsWith(SCRATCH));
  for (const name of names) {
    const path = join(folder, name);
    const state = await stat(path).catch(() => undefined);
    if (state === undefined || Date.now() - state.mtimeMs < STALE_MS) continue;
    // It may belong to another account.
    await rm(path, { recursive: true, force: true }).catch(() => undefined);
  }
}
