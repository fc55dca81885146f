import { Duplex } from 'node:stream';

/** A socket whose peer reads only when told to. Remembers each write the system would have been given. */
export class ScriptedSocket extends Duplex {
  /** What arrived, one entry a write; a vectored write is one entry. */
  readonly writes: Buffer[] = [];
  /** The very buffers that were written, one entry a chunk. */
  readonly chunks: Buffer[] = [];
  private isReading = true;
  private proceed: (() => void) | undefined;

  constructor(highWaterMark = 16_384) {
    super({ writableHighWaterMark: highWaterMark });
  }

  /** From now on what is written stays in the stream, as with a peer whose window is full. */
  stopReading(): void {
    this.isReading = false;
  }

  /** Takes what waits, and everything from now on. */
  readOn(): void {
    this.isReading = true;
    this.takeOne();
  }

  /** Takes the write that waits, and nothing after it. */
  takeOne(): void {
    const proceed = this.proceed;
    this.proceed = undefined;
    proceed?.();
  }

  get text(): string {
    return Buffer.concat(this.writes).toString();
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.accept([chunk], done);
  }

  override _writev(parts: { readonly chunk: Buffer }[], done: () => void): void {
    this.accept(
      parts.map(({ chunk }) => chunk),
      done,
    );
  }

  private accept(chunks: readonly Buffer[], done: () => void): void {
    this.chunks.push(...chunks);
    this.writes.push(Buffer.concat(chunks));
    if (this.isReading) done();
    else this.proceed = done;
  }
}
