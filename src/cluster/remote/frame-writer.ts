import type { Socket } from 'node:net';

/** Writes the frames of one event-loop turn together: one system call instead of one a frame. */
export class FrameWriter {
  private due: Buffer[] = [];
  private dueBytes = 0;

  constructor(private readonly socket: Socket) {}

  /** Bytes that the other process has not read, beside the buffers of the kernel. */
  get waitingBytes(): number {
    return this.dueBytes + this.socket.writableLength;
  }

  write(frame: Buffer): void {
    this.due.push(frame);
    this.dueBytes += frame.length;
    if (this.due.length === 1) setImmediate(() => this.flush());
  }

  private flush(): void {
    const { due, dueBytes } = this;
    this.due = [];
    this.dueBytes = 0;
    if (this.socket.writable) this.socket.write(due.length === 1 ? (due[0] as Buffer) : Buffer.concat(due, dueBytes));
  }
}
