/** How a frame may be dropped while it waits for a slow reader. */
export interface Shedding {
  /** `drop_oldest`: when there is no room. `latest`: as soon as a newer one with the same key comes. */
  readonly policy: 'drop_oldest' | 'latest';
  readonly key: string;
  /** Milliseconds since 1970 after which it is of no use; undefined: never. */
  readonly expiresAt?: number | undefined;
}

interface HeldFrame {
  readonly bytes: Buffer;
  readonly shedding: Shedding | undefined;
}

/** The frames that wait for a slow reader, in order. Those that may be dropped give way to the others. */
export class HeldFrames {
  /** Bytes of all frames that wait. */
  bytes = 0;
  private frames: HeldFrame[] = [];

  get length(): number {
    return this.frames.length;
  }

  add(bytes: Buffer, shedding: Shedding | undefined): void {
    this.frames.push({ bytes, shedding });
    this.bytes += bytes.length;
  }

  /** Takes out the waiting frame that a newer one with the same key replaces. Returns how many were dropped. */
  dropReplacedBy({ policy, key }: Shedding): number {
    if (policy !== 'latest') return 0;
    return this.dropFirst(({ shedding }) => shedding?.policy === 'latest' && shedding.key === key);
  }

  /** Drops the oldest of those that may be dropped for want of room. Returns how many were dropped. */
  dropOldest(): number {
    return this.dropFirst(({ shedding }) => shedding !== undefined);
  }

  /** All frames that are still of use, in order; none is left. */
  takeAll(now: number): { readonly frames: Buffer[]; readonly expired: number } {
    const useful = this.frames.filter(({ shedding }) => (shedding?.expiresAt ?? Infinity) > now);
    const expired = this.frames.length - useful.length;
    this.clear();
    return { frames: useful.map(({ bytes }) => bytes), expired };
  }

  /** Returns how many frames were dropped. */
  clear(): number {
    const dropped = this.frames.length;
    this.frames = [];
    this.bytes = 0;
    return dropped;
  }

  private dropFirst(matches: (frame: HeldFrame) => boolean): number {
    const index = this.frames.findIndex(matches);
    if (index === -1) return 0;
    const [dropped] = this.frames.splice(index, 1);
    this.bytes -= dropped?.bytes.length ?? 0;
    return 1;
  }
}
