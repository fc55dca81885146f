import { close, constants, fstat, fstatSync, openSync, stat } from 'node:fs';
import { promisify } from 'node:util';
import { UnusableSettings } from '../../../config/unusable-settings.js';
import { LineWriter, reasonOf } from './line-writer.js';
import { shiftFiles } from './shift-files.js';

/** What may wait for a disk that is slow or full, unless another bound is given. About 3,000 lines. */
const MAX_WAITING_BYTES = 1_048_576;
const MODE = 0o640;
/** A pipe that somebody has put in the place of the file fails to open, instead of holding the process up until it is read. */
const TO_APPEND = constants.O_APPEND | constants.O_CREAT | constants.O_WRONLY | (constants.O_NONBLOCK ?? 0);

/** When a file gets another name and a new one is begun. */
export interface Rotation {
  readonly maxBytes: number;
  /** Former files, `.1` being the latest. */
  readonly kept: number;
}

export interface LineFileOptions {
  /** Whose value is unusable where the file cannot be opened. */
  readonly setting: string;
  /** Absent: others rotate it, or nobody. */
  readonly rotation?: Rotation;
  readonly maxWaitingBytes?: number;
}

const closeFile = promisify(close);

/**
 * Appends lines to a file. A file that was renamed, as logrotate does, or deleted, is left and a new one begun; a truncated one
 * goes on at its new end. Where no new one can be begun, lines go to the renamed one, and wait where it was deleted. Where it is
 * to be rotated and cannot be, nothing is appended until it can: it would have no bound.
 *
 * Not rotating-file-stream 3.2: the first write that fails ends it and loses what waits, that has no bound, nothing is
 * written at an exit, and a partial write counts as a whole one.
 */
export class LineFile extends LineWriter {
  /** As far as is known: others may truncate it. */
  private size: number;
  /** Our file has another name by now, or none, and no new one can be opened. */
  private isStray = false;

  /** @throws UnusableSettings where it cannot be opened */
  constructor(
    private readonly path: string,
    private readonly options: LineFileOptions,
  ) {
    const { fd, size } = openAtStart(path, options.setting);
    super(fd, options.maxWaitingBytes ?? MAX_WAITING_BYTES);
    this.size = size;
  }

  override async close(): Promise<void> {
    if (!this.isOpen) return;
    // What waits for a name has no later look.
    if (this.isStray && !this.isWriting) this.reopen();
    await super.close();
    await closeFile(this.fd).catch(() => undefined);
  }

  protected override get isInPlace(): boolean {
    return !this.isStray;
  }

  /** Also begins a new file where ours has not its name any more. */
  protected override async look(): Promise<void> {
    if (!this.isWriting) await this.keepName();
    await super.look();
  }

  protected override async makeRoom(): Promise<boolean> {
    // A look tells of it and tries again. What is written there would be lost, and count as written.
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
    // What has begun meanwhile goes to the old file; the next look comes soon.
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

  /** False where that cannot be done. */
  private reopen(): boolean {
    try {
      this.open();
    } catch (error) {
      // Goes on where it is: better under another name than nowhere.
      this.isStray = true;
      return this.failed(error);
    }
    this.dropBrokenLine();
    this.found();
    return true;
  }

  /** Our file has its name, maybe again: a folder can be moved away and back. */
  private found(): void {
    this.isStray = false;
    if (!this.isFailing || this.waitingBytes === 0) this.settled();
  }

  /** Puts the file that has the name now, made where there is none, in the place of ours. */
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
