export type ControlKind = 'ping' | 'pong';

/** The newest ping and pong that wait for a slow reader. One of each is enough (RFC 6455 §5.5.3), 254 bytes at most. */
export class ControlFrames {
  private ping: Buffer | undefined;
  private pong: Buffer | undefined;

  hold(kind: ControlKind, frame: Buffer): void {
    this[kind] = frame;
  }

  /** Takes all of them. */
  takeAll(): Buffer[] {
    const { ping, pong } = this;
    this.ping = undefined;
    this.pong = undefined;
    return [ping, pong].filter((frame) => frame !== undefined);
  }
}
