import { close, constants, fstat, fstatSync, openSync, stat } from 'node:fs';
import { rename, stat as statOf } from 'node:fs/promises';
import { promisify } from 'node:util';
import { UnusableSettings } from '../../../config/unusable-settings.js';
import { LineWriter, reasonOf } from './line-writer.js';

/** Bytes that may wait for a slow or full disk by default. About 3,000 lines. */
const MAX_WAITING_BYTES = 1_048_576;
const MODE = 0o640;
/** A pipe in place of the file fails to open, instead of blocking the process until it is read. */
const TO_APPEND = constants.O_APPEND | constants.O_CREAT | constants.O_WRONLY | (constants.O_NONBLOCK ?? 0);

/** When a file is renamed and a new one begins. */
export interface Rotation {
  readonly maxBytes: number;
  /** Old files; `.1` is the newest. */
  readonly kept: number;
}

export interface LineFileOptions {
  /** The setting that is reported if the file cannot be opened. */
  readonly setting: string;
  /** Absent: others rotate the file, or nobody does. */
  readonly rotation?: Rotation;
  readonly maxWaitingBytes?: number;
}

const closeFile = promisify(close);

/**
 * Appends lines to a file. If the file was renamed, as by logrotate, or deleted, a new one begins; a truncated file
 * continues at its new end. If no new file can be opened, lines go to the renamed one, or wait if it was deleted. If
 * the file must be rotated and cannot be, nothing is appended until it can, because it would grow without bound.
 *
 * Not rotating-file-stream 3.2: the first failed write ends it and loses what waits, its queue has no bound, nothing is
 * written at an exit, and a partial write counts as a whole one.
 */
export class LineFile extends LineWriter {
  /** As far as known: others may truncate it. */
  private size: number;
  /** Our file has been renamed or deleted, and no new one can be opened. */
  private isStray = false;

  /** @throws UnusableSettings if it cannot be opened */
  constructor(
    private readonly path: string,
    private readonly options: LineFileOptions,
  ) {
    const { fd, size } = openAtStart(path, options.setting);
    super(fd, options.maxWaitingBytes ?? MAX_WAITING_BYTES);
    this.size = size;
    this.watch();
  }

  /** Others may rename the file at any time. */
  protected override get needsLooks(): boolean {
    return true;
  }

  override async close(): Promise<void> {
    if (!this.isOpen) return;
    // Nothing checks the name later for lines that wait for it.
    if (this.isStray && !this.isWriting) this.reopen();
    await super.close();
    await closeFile(this.fd).catch(() => undefined);
  }

  protected override get isInPlace(): boolean {
    return !this.isStray;
  }

  /** Also opens a new file if ours has another name now. */
  protected override async look(): Promise<void> {
    if (!this.isWriting) await this.keepName();
    await super.look();
  }

  protected override async makeRoom(): Promise<boolean> {
    // The next check reports it and tries again. Lines written there would be lost but count as written.
    if ((await this.isDeleted()) && (this.isStray || !this.reopen())) return this.waits();
    const { rotation } = this.options;
    if (rotation === undefined || this.size < rotation.maxBytes || this.isMidLine) return true;
    try {
      await shiftFiles(this.path, rotation.kept);
      this.open();
      return true;
    } catch (error) {
      return this.refused(error);
    }
  }

  protected override grown(bytes: number): void {
    this.size += bytes;
  }

  private waits(): false {
    this.isFailing = true;
    return false;
  }

  private async keepName(): Promise<void> {
    const hasName = await this.hasName();
    // A write in progress goes to the old file; the next check comes soon.
    if (this.isWriting || !this.isOpen) return;
    if (hasName) this.found();
    else this.reopen();
  }

  private async hasName(): Promise<boolean> {
    const [ours, named] = await Promise.all([
      promisify(fstat)(this.fd).catch(() => undefined),
      promisify(stat)(this.path).catch(() => undefined),
    ]);
    if (ours === undefined) return false;
    if (!this.isWriting) this.size = ours.size;
    return ours.ino === named?.ino && ours.dev === named.dev;
  }

  /** It has no name at all, so nobody can read it. */
  private async isDeleted(): Promise<boolean> {
    const ours = await promisify(fstat)(this.fd).catch(() => undefined);
    return ours?.nlink === 0;
  }

  /** Returns false if that is impossible. */
  private reopen(): boolean {
    try {
      this.open();
    } catch (error) {
      // Continues in the renamed file: better there than nowhere.
      this.isStray = true;
      return this.failed(error);
    }
    this.dropBrokenLine();
    this.found();
    return true;
  }

  /** Our file has its name, perhaps again: a folder can be moved away and back. */
  private found(): void {
    this.isStray = false;
    if (!this.isFailing || this.waitingBytes === 0) this.settled();
  }

  /** Replaces our file by the one that has the name now, which is created if needed. */
  private open(): void {
    const opened = openSync(this.path, TO_APPEND, MODE);
    close(this.fd, () => undefined);
    this.fd = opened;
    this.size = fstatSync(opened).size;
  }
}

function openAtStart(path: string, setting: string): { readonly fd: number; readonly size: number } {
  try {
    const fd = openSync(path, TO_APPEND, MODE);
    return { fd, size: fstatSync(fd).size };
  } catch (error) {
    throw new UnusableSettings([`${setting} cannot be opened for appending: ${reasonOf(error)}`]);
  }
}

/**
 * Renames `path` to `path.1`, `path.1` to `path.2`, and so on; the last one is removed. Does nothing if `path` does not
 * exist, because an earlier attempt has then come that far.
 */
async function shiftFiles(path: string, kept: number): Promise<void> {
  if (!(await statOf(path).catch(() => undefined))) return;
  for (let number = kept; number > 1; number -= 1) await renameWhereThere(`${path}.${number - 1}`, `${path}.${number}`);
  await rename(path, `${path}.1`);
}

async function renameWhereThere(from: string, to: string): Promise<void> {
  await rename(from, to).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
}
