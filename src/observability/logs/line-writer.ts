import { EventEmitter, once } from 'node:events';
import { write, writeSync } from 'node:fs';
import { promisify } from 'node:util';

/**
 * How long lines are gathered: a write wakes a thread, which costs more than the line. It is little against the time
 * that a line takes to its reader.
 */
const GATHER_MS = 10;
/** Bytes in one write. */
const MAX_BATCH_BYTES = 65_536;
/** Interval between attempts after a failure. */
const LOOK_MS = 1_000;
/** Pause after a full pipe. */
const FULL_PIPE_MS = 50;
/** How long the shutdown waits for a disk or pipe that does not accept the rest. */
const LAST_WRITE_MS = 1_000;

interface LineWriterEvents {
  /** Lines cannot be written, or go to the wrong file. Called again only after a recovery. */
  failed: [reason: string];
  /** Lines are written again; this many were lost meanwhile. */
  recovered: [lost: number];
  /** A line was dropped because too much waits, or because it has no end. */
  dropped: [];
  /** A write or a new file failed. */
  refused: [];
  /** No write is in progress any more. */
  idle: [];
}

const writeTo: (fd: number, bytes: Buffer) => Promise<{ bytesWritten: number }> = promisify(write);

/**
 * Writes lines without waiting. Lines that a disk or pipe does not accept wait, up to a limit, and are tried again.
 *
 * Not pino's own destination: it has no limit, and at the end it never returns if the disk is full (sonic-boom 4.2,
 * `flushSync`).
 */
export class LineWriter extends EventEmitter<LineWriterEvents> {
  private waiting: Buffer[] = [];
  /** Data that has not been written yet. */
  waitingBytes = 0;
  private isInFlight = false;
  private isClosed = false;
  private lost = 0;
  /** A failure was reported, and no recovery since. */
  private isToldOf = false;
  private timer: NodeJS.Timeout | undefined;
  private gathering: NodeJS.Timeout | undefined;
  private readonly atExit = (): void => this.writeLast();
  /** The rest of the current batch. */
  protected rest: Buffer | undefined;
  protected isWriting = false;
  protected isMidLine = false;
  /** A failed write waits; only the next check tries it again. */
  protected isFailing = false;

  /** @param maxWaitingBytes lines beyond it are lost and counted */
  constructor(
    protected fd: number,
    private readonly maxWaitingBytes: number,
  ) {
    super();
    process.once('exit', this.atExit);
  }

  protected get isOpen(): boolean {
    return !this.isClosed;
  }

  /** Appends a line, with its line break. */
  write(line: string): void {
    if (this.isClosed) return;
    const bytes = Buffer.from(line);
    if (this.waitingBytes + bytes.length > this.maxWaitingBytes) {
      this.lose();
      return;
    }
    this.waiting.push(bytes);
    this.waitingBytes += bytes.length;
    if (this.isFailing || this.isWriting) return;
    if (this.waitingBytes >= MAX_BATCH_BYTES) void this.pump();
    else this.gathering ??= setTimeout(() => void this.pump(), GATHER_MS).unref();
  }

  /** Writes what waits, as far as this succeeds within a second. */
  async close(): Promise<void> {
    if (this.isClosed) return;
    this.isClosed = true;
    clearInterval(this.timer);
    clearTimeout(this.gathering);
    const deadline = AbortSignal.timeout(LAST_WRITE_MS);
    if (this.isWriting) await once(this, 'idle', { signal: deadline }).catch(() => undefined);
    process.off('exit', this.atExit);
    this.writeLast();
  }

  /** Looks once a second for as long as that is needed. */
  protected watch(): void {
    if (!this.isClosed) this.timer ??= setInterval(() => this.tick(), LOOK_MS).unref();
  }

  protected get needsLooks(): boolean {
    return this.isFailing;
  }

  private tick(): void {
    if (this.needsLooks) return void this.look();
    clearInterval(this.timer);
    this.timer = undefined;
  }

  /** Tries the failed write again. */
  protected async look(): Promise<void> {
    if (this.isFailing && !this.isClosed) await this.pump();
  }

  /** Called before each batch. Returns false if there is no room: the batch is tried again later. */
  protected async makeRoom(): Promise<boolean> {
    return true;
  }

  /** This many bytes of a batch were written. */
  protected grown(_bytes: number): void {}

  /** Whether the open file is the right one. */
  protected get isInPlace(): boolean {
    return true;
  }

  protected refused(error: unknown): false {
    this.isFailing = true;
    this.watch();
    return this.failed(error);
  }

  /** Counts a failure, and reports the first one. */
  protected failed(error: unknown): false {
    const isNews = !this.isToldOf;
    this.isToldOf = true;
    this.emit('refused');
    if (isNews) this.emit('failed', reasonOf(error));
    return false;
  }

  /** No failed write waits any more. */
  protected settled(): void {
    this.isFailing = false;
    if (!this.isToldOf || !this.isInPlace) return;
    const { lost } = this;
    this.lost = 0;
    this.isToldOf = false;
    this.emit('recovered', lost);
  }

  /**
   * A started line that cannot be finished here is dropped: its end alone would not be a valid line in another file.
   */
  protected dropBrokenLine(): void {
    if (!this.isMidLine || this.rest === undefined) return;
    const end = this.rest.indexOf(0x0a) + 1;
    this.waitingBytes -= end;
    this.rest = end < this.rest.length ? this.rest.subarray(end) : undefined;
    this.isMidLine = false;
    this.lose();
  }

  private lose(): void {
    this.lost += 1;
    this.emit('dropped');
  }

  private async pump(): Promise<void> {
    clearTimeout(this.gathering);
    this.gathering = undefined;
    if (this.isWriting) return;
    this.isWriting = true;
    while (this.nextBatch() !== undefined && (await this.makeRoom()) && (await this.writeBatch()));
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

  /** Returns false if the write failed; it is tried again later. */
  private async writeBatch(): Promise<boolean> {
    const batch = this.rest ?? Buffer.alloc(0);
    this.isInFlight = true;
    try {
      this.taken(batch, (await writeTo(this.fd, batch)).bytesWritten);
      return true;
    } catch (error) {
      if (reasonOf(error) !== 'EAGAIN') return this.refused(error);
      setTimeout(() => void (this.isClosed || this.pump()), FULL_PIPE_MS).unref();
      return false;
    } finally {
      this.isInFlight = false;
    }
  }

  private taken(batch: Buffer, count: number): void {
    this.waitingBytes -= count;
    this.grown(count);
    this.isMidLine = count < batch.length && batch[count - 1] !== 0x0a;
    this.rest = count < batch.length ? batch.subarray(count) : undefined;
    if (this.rest === undefined) this.settled();
  }

  /** Node finishes a write in progress before the process ends, so it is left alone. */
  private writeLast(): void {
    let left = Buffer.concat(this.isInFlight ? this.waiting : [...(this.rest ? [this.rest] : []), ...this.waiting]);
    this.waiting = [];
    if (!this.isInFlight) this.rest = undefined;
    const deadline = performance.now() + LAST_WRITE_MS;
    while (left.length > 0 && performance.now() < deadline) {
      try {
        left = left.subarray(writeSync(this.fd, left));
      } catch (error) {
        // Not written, and nobody is left to tell.
        if (reasonOf(error) !== 'EAGAIN') return;
        pauseProcess(FULL_PIPE_MS);
      }
    }
  }
}

export function reasonOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? String(error);
}

/** The event loop no longer turns at an exit. */
function pauseProcess(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}
