import type { Duplex } from 'node:stream';

/**
 * Bytes that a client may send before it is accepted. Beyond it nothing more is read, and a hang-up may stay unnoticed.
 */
const MAX_EARLY_BYTES = 16_384;

/**
 * A client whose upgrade is being decided. Node stops reading the socket of an upgrade, and does not notice that the
 * client has left. This class reads on as soon as something must be awaited, and keeps the bytes for the WebSocket.
 */
export class WaitingClient {
  private reading: EarlyBytes | undefined;

  constructor(
    private readonly socket: Duplex,
    private readonly head: Buffer,
  ) {}

  /**
   * Resolves when the client hangs up or ends its side, after which it could not answer a close frame. Ask for it before
   * the first wait, in the turn in which the upgrade arrived.
   */
  get gone(): Promise<'aborted'> {
    this.reading ??= new EarlyBytes(this.socket, this.head);
    return this.reading.ended;
  }

  /** Ends the wait, and returns the bytes after the request. */
  release(): Buffer {
    return this.reading?.release() ?? this.head;
  }
}

/** What a client sends after its upgrade request, until somebody reads its socket. */
class EarlyBytes {
  readonly ended: Promise<'aborted'>;
  private readonly chunks: Buffer[];
  private bytes = 0;
  private leave: () => void = () => {};

  constructor(
    private readonly socket: Duplex,
    head: Buffer,
  ) {
    this.chunks = [head];
    this.ended = new Promise((resolve) => {
      this.leave = (): void => resolve('aborted');
    });
    // Without a listener, a socket error would end the process.
    socket.on('error', destroy).on('close', this.leave).on('end', this.leave).on('data', this.keep);
  }

  release(): Buffer {
    const { socket, leave, keep } = this;
    socket.off('error', destroy).off('close', leave).off('end', leave).off('data', keep);
    // As Node passes on sockets: they are read when the next listener is added.
    (socket as { readableFlowing: boolean | null }).readableFlowing = null;
    return Buffer.concat(this.chunks);
  }

  private readonly keep = (chunk: Buffer): void => {
    this.chunks.push(chunk);
    this.bytes += chunk.length;
    if (this.bytes >= MAX_EARLY_BYTES) this.socket.pause();
  };
}

function destroy(this: Duplex): void {
  this.destroy();
}
