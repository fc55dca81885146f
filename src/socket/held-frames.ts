import type { DropReason, Receipt } from './receipt.js';

/** How a frame may be dropped while it waits for a slow reader. */
export interface Shedding {
  /**
   * `drop_oldest`: if there is no room. `latest`: also when a newer one with the same key arrives. `disconnect`: never,
   * the reader is disconnected instead.
   */
  readonly policy: 'disconnect' | 'drop_oldest' | 'latest';
  readonly key: string;
  /** Milliseconds since 1970 after which the frame is dropped, whatever the policy. Undefined: never. */
  readonly expiresAt?: number | undefined;
  /** Gets the outcome of the frame, only from a ReceiptedQueue. */
  readonly receipt?: Receipt;
}

/** Whether a frame waits until it is written or its reader is disconnected. */
export function isKept(shedding: Shedding | undefined): boolean {
  return shedding === undefined || (shedding.policy === 'disconnect' && shedding.expiresAt === undefined);
}

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

interface HeldFrame {
  readonly bytes: Buffer;
  readonly shedding: Shedding | undefined;
}

/** The frames that wait for a slow reader, in order. Those that may be dropped make room for the others. */
export class HeldFrames {
  /** Bytes of all frames that wait. */
  bytes = 0;
  /** A Set keeps the order, and removes from the middle without moving the rest. */
  private readonly frames = new Set<HeldFrame>();
  private readonly droppable = new Set<HeldFrame>();
  /**
   * An iterator that continues where it stopped. A new one would first skip everything that was deleted: 8 µs for each
   * drop with 10,000 frames.
   */
  private oldest = this.droppable.values();
  /** The newest frame of each key, which replaces older ones. */
  private readonly newest = new Map<string, HeldFrame>();

  get length(): number {
    return this.frames.size;
  }

  add(bytes: Buffer, shedding: Shedding | undefined): void {
    const frame = { bytes, shedding };
    this.frames.add(frame);
    this.bytes += bytes.length;
    if (shedding === undefined || shedding.policy === 'disconnect') return;
    this.droppable.add(frame);
    if (shedding.policy === 'latest') this.newest.set(shedding.key, frame);
  }

  /** Removes the waiting frame that a newer one with the same key replaces. Returns how many were dropped. */
  dropReplacedBy({ policy, key }: Shedding): number {
    return policy === 'latest' ? this.drop(this.newest.get(key), 'latest') : 0;
  }

  /** Drops the oldest droppable frames to make room. Returns how many were dropped. */
  dropOldest(): number {
    let { value, done } = this.oldest.next();
    if (done) {
      this.oldest = this.droppable.values();
      ({ value, done } = this.oldest.next());
    }
    return done ? 0 : this.drop(value, 'drop_oldest');
  }

  /** Drops expired frames. Returns how many were dropped. */
  dropExpired(now: number): number {
    let dropped = 0;
    for (const frame of this.frames) {
      if ((frame.shedding?.expiresAt ?? Infinity) <= now) dropped += this.drop(frame, 'expired');
    }
    return dropped;
  }

  /** Removes and returns all frames, in order. */
  takeAll(): Buffer[] {
    const frames = Array.from(this.frames, ({ bytes }) => bytes);
    this.clear();
    return frames;
  }

  /** The receipts that wait, in order. */
  receipts(): readonly Receipt[] {
    return Array.from(this.frames, ({ shedding }) => shedding?.receipt).filter((receipt) => receipt !== undefined);
  }

  /** Returns how many frames were dropped. */
  clear(): number {
    const dropped = this.frames.size;
    this.frames.clear();
    this.droppable.clear();
    this.newest.clear();
    this.bytes = 0;
    return dropped;
  }

  private drop(frame: HeldFrame | undefined, reason: DropReason): number {
    if (frame === undefined || !this.frames.delete(frame)) return 0;
    this.droppable.delete(frame);
    this.bytes -= frame.bytes.length;
    const key = frame.shedding?.key;
    if (key !== undefined && this.newest.get(key) === frame) this.newest.delete(key);
    frame.shedding?.receipt?.dropped(reason);
    return 1;
  }
}
