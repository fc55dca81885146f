import type { Duplex } from 'node:stream';

/** What a client may send before it is let in. Beyond it nothing more is read, and its hanging up may go unnoticed. */
const MAX_EARLY_BYTES = 16_384;

/**
 * A client whose upgrade is being decided. Node stops reading the socket of an upgrade, and so does not notice that its
 * client has gone: this reads on, and keeps what comes for the WebSocket.
 */
export class WaitingClient {
  /** Resolves when the client hangs up, or ends its side: it could not answer a close frame any more. */
  readonly gone: Promise<'aborted'>;
  private readonly chunks: Buffer[];
  private bytes = 0;
  private leave: () => void = () => {};

  constructor(
    private readonly socket: Duplex,
    head: Buffer,
  ) {
    this.chunks = [head];
    this.gone = new Promise((resolve) => {
      this.leave = (): void => resolve('aborted');
    });
    // Without a listener, a socket that breaks would end the process.
    socket.on('error', destroy).on('close', this.leave).on('end', this.leave).on('data', this.keep);
  }

  /** Ends the wait, and returns what came behind the request. */
  release(): Buffer {
    const { socket, leave, keep } = this;
    socket.off('error', destroy).off('close', leave).off('end', leave).off('data', keep);
    // As Node hands sockets over: they are read from when the next one listens.
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
