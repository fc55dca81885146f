import { EventEmitter, once } from 'node:events';
import { close, constants, fstat, openSync, stat, write, writeSync } from 'node:fs';
import { promisify } from 'node:util';
import { UnusableSettings } from '../../config/unusable-settings.js';

/** What may wait for a disk that is slow or full; lines beyond it are lost, and counted. About 3,000 lines. */
const MAX_WAITING_BYTES = 1_048_576;
/** Written at a time. */
const MAX_BATCH_BYTES = 65_536;
/** How often what failed is tried again, and the file is looked for under its name. */
const LOOK_MS = 1_000;
/** How long the end waits for a disk that does not take what is left. */
const LAST_WRITE_MS = 1_000;
const MODE = 0o640;
/** A pipe that somebody has put in the place of the file fails to open, instead of holding the process up until it is read. */
const TO_APPEND = constants.O_APPEND | constants.O_CREAT | constants.O_WRONLY | (constants.O_NONBLOCK ?? 0);

interface AuditFileEvents {
  /** The disk refuses lines. Again only after it has taken some. */
  failed: [reason: string];
  /** It takes them again; so many were lost meanwhile. */
  recovered: [lost: number];
  /** A line was dropped, for too much waits. */
  dropped: [];
  /** A write was refused. */
  refused: [];
  /** No write is under way any more. */
  idle: [];
}

const writeTo: (fd: number, bytes: Buffer) => Promise<{ bytesWritten: number }> = promisify(write);
const closeFile = promisify(close);

/**
 * Appends lines to a file, without waiting for the disk. A file that was renamed, as logrotate does, is left and a new one
 * begun; a truncated one goes on at its new end.
 *
 * Not pino's own destination: its flush at the end never returns on a full disk, and its reopen closes a file twice where
 * the first attempt has failed (sonic-boom 4.2, `flushSync` and `reopen`).
 */
export class AuditFile extends EventEmitter<AuditFileEvents> {
  private fd: number;
  private waiting: Buffer[] = [];
  private waitingBytes = 0;
  /** What the disk has not taken of the batch under way. */
  private rest: Buffer | undefined;
  private isWriting = false;
  private isMidLine = false;
  private isFailing = false;
  /** Our file has another name by now, and no new one can be opened. */
  private isStray = false;
  private lost = 0;
  private isClosed = false;
  private readonly timer: NodeJS.Timeout;
  private readonly atExit = (): void => this.writeLast();

  /** @throws UnusableSettings where it cannot be opened */
  constructor(private readonly path: string) {
    super();
    try {
      this.fd = openSync(path, 'a', MODE);
    } catch (error) {
      throw new UnusableSettings([`AUDIT_FILE cannot be opened for appending: ${reasonOf(error)}`]);
    }
    this.timer = setInterval(() => void this.look(), LOOK_MS).unref();
    process.once('exit', this.atExit);
  }

  /** A line, with its line break. */
  write(line: string): void {
    if (this.isClosed) return;
    const bytes = Buffer.from(line);
    if (this.waitingBytes + bytes.length > MAX_WAITING_BYTES) {
      this.lost += 1;
      this.emit('dropped');
      return;
    }
    this.waiting.push(bytes);
    this.waitingBytes += bytes.length;
    if (!this.isFailing) void this.pump();
  }

  /** Writes what waits, as far as the disk takes it within a second, and closes the file. */
  async close(): Promise<void> {
    if (this.isClosed) return;
    this.isClosed = true;
    clearInterval(this.timer);
    const deadline = AbortSignal.timeout(LAST_WRITE_MS);
    if (this.isWriting) await once(this, 'idle', { signal: deadline }).catch(() => undefined);
    process.off('exit', this.atExit);
    this.writeLast();
    await closeFile(this.fd).catch(() => undefined);
  }

  private async pump(): Promise<void> {
    if (this.isWriting) return;
    this.isWriting = true;
    while (this.nextBatch() !== undefined && (await this.writeBatch()));
    this.isWriting = false;
    this.emit('idle');
  }

  private nextBatch(): Buffer | undefined {
    if (this.rest !== undefined) return this.rest;
    let count = 0;
    for (let bytes = 0; count < this.waiting.length && bytes < MAX_BATCH_BYTES; count += 1) {
      bytes += this.waiting[count]?.length ?? 0;
    }
    if (count > 0) this.rest = Buffer.concat(this.waiting.splice(0, count));
    return this.rest;
  }

  /** False where the disk refused it: it is tried again later. */
  private async writeBatch(): Promise<boolean> {
    const batch = this.rest ?? Buffer.alloc(0);
    try {
      this.taken(batch, (await writeTo(this.fd, batch)).bytesWritten);
      return true;
    } catch (error) {
      this.emit('refused');
      if (!this.isFailing) this.emit('failed', reasonOf(error));
      this.isFailing = true;
      return false;
    }
  }

  private taken(batch: Buffer, count: number): void {
    this.waitingBytes -= count;
    this.isMidLine = count < batch.length && batch[count - 1] !== 0x0a;
    this.rest = count < batch.length ? batch.subarray(count) : undefined;
    if (!this.isFailing || this.rest !== undefined) return;
    const { lost } = this;
    this.lost = 0;
    this.isFailing = false;
    this.emit('recovered', lost);
  }

  /** Tries again what failed, and begins a new file where ours has another name by now. */
  private async look(): Promise<void> {
    if (!this.isWriting && (await this.isRenamed())) this.reopen();
    if (this.isFailing && !this.isClosed) await this.pump();
  }

  private async isRenamed(): Promise<boolean> {
    const [ours, named] = await Promise.all([
      promisify(fstat)(this.fd),
      promisify(stat)(this.path).catch(() => undefined),
    ]).catch(() => [undefined, undefined]);
    return ours !== undefined && (ours.ino !== named?.ino || ours.dev !== named.dev);
  }

  private reopen(): void {
    // What has begun meanwhile goes to the old file; the next look comes soon.
    if (this.isWriting || this.isClosed) return;
    const former = this.fd;
    try {
      this.fd = openSync(this.path, TO_APPEND, MODE);
    } catch (error) {
      // Better under another name than nowhere.
      this.emit('refused');
      if (!this.isStray) this.emit('failed', reasonOf(error));
      this.isStray = true;
      return;
    }
    this.isStray = false;
    this.dropBrokenLine();
    close(former, () => undefined);
  }

  /** The old file has the beginning of a line: its end alone would be no line of the new one. */
  private dropBrokenLine(): void {
    if (!this.isMidLine || this.rest === undefined) return;
    const end = this.rest.indexOf(0x0a) + 1;
    this.waitingBytes -= end;
    this.rest = end < this.rest.length ? this.rest.subarray(end) : undefined;
    this.isMidLine = false;
    this.lost += 1;
  }

  /** A write under way is finished by Node before the process ends, so it is left alone. */
  private writeLast(): void {
    const left = this.isWriting ? this.waiting : [...(this.rest ? [this.rest] : []), ...this.waiting];
    this.waiting = [];
    try {
      if (left.length > 0) writeSync(this.fd, Buffer.concat(left));
    } catch {
      // The disk does not take them, and there is nobody left to tell.
    }
  }
}

function reasonOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? String(error);
}
