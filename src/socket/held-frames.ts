import type { Priority } from '../../config/namespaces.js';
import { OldestFirst } from './oldest-first.js';
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
  /** Of a publication. Undefined: nothing overtakes the frame, and it overtakes nothing. */
  readonly priority?: Priority | undefined;
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

export interface HeldFrame {
  readonly bytes: Buffer;
  readonly shedding: Shedding | undefined;
}

/** The frames that wait for a slow reader, in order. Those that may be dropped make room for the others. */
export class HeldFrames {
  /** Bytes of all frames that wait. */
  bytes = 0;
  /** A Set keeps the order, and removes from the middle without moving the rest. */
  protected readonly frames = new Set<HeldFrame>();
  private readonly droppable = new OldestFirst<HeldFrame>();
  /** The newest frame of each key, which replaces older ones. */
  private readonly newest = new Map<string, HeldFrame>();

  get length(): number {
    return this.frames.size;
  }

  add(bytes: Buffer, shedding: Shedding | undefined): void {
    const frame = { bytes, shedding };
    this.bytes += bytes.length;
    this.place(frame);
    if (shedding?.policy === 'latest') this.newest.set(shedding.key, frame);
  }

  /** Removes the waiting frame that a newer one with the same key replaces. Returns how many were dropped. */
  dropReplacedBy({ policy, key }: Shedding): number {
    return policy === 'latest' ? this.drop(this.newest.get(key), 'latest') : 0;
  }

  /**
   * Drops the oldest droppable frame to make room for another one. Returns how many were dropped.
   *
   * @param _newcomer how the other one may be dropped
   */
  dropOldest(_newcomer?: Shedding): number {
    return this.drop(this.droppable.oldest(), 'drop_oldest');
  }

  /** The newcomer finds no room, and may be dropped itself. */
  refuse({ receipt }: Shedding): void {
    receipt?.dropped('drop_oldest');
  }

  /** Drops expired frames. Returns how many were dropped. */
  dropExpired(now: number): number {
    let dropped = 0;
    for (const frame of this.frames) {
      if ((frame.shedding?.expiresAt ?? Infinity) <= now) dropped += this.drop(frame, 'expired');
    }
    return dropped;
  }

  /** Removes and returns the frames that leave next, in order: all of them. */
  take(): readonly HeldFrame[] {
    const frames = [...this.frames];
    this.clear();
    return frames;
  }

  /** Whether a frame of this length waits. */
  has(length: number): boolean {
    for (const { bytes } of this.frames) if (bytes.length === length) return true;
    return false;
  }

  /** The receipts that wait. */
  receipts(): readonly Receipt[] {
    return receiptsOf([...this.frames]);
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

  protected place(frame: HeldFrame): void {
    this.frames.add(frame);
    if (isDroppable(frame)) this.droppable.add(frame);
  }

  /** Returns whether it was there. */
  protected remove(frame: HeldFrame): boolean {
    if (!this.frames.delete(frame)) return false;
    this.droppable.delete(frame);
    this.bytes -= frame.bytes.length;
    const key = frame.shedding?.key;
    if (key !== undefined && this.newest.get(key) === frame) this.newest.delete(key);
    return true;
  }

  protected drop(frame: HeldFrame | undefined, reason: DropReason): number {
    if (frame === undefined || !this.remove(frame)) return 0;
    frame.shedding?.receipt?.dropped(reason);
    return 1;
  }
}

export function receiptsOf(frames: readonly HeldFrame[]): readonly Receipt[] {
  return frames.map(({ shedding }) => shedding?.receipt).filter((receipt) => receipt !== undefined);
}

/** Whether its policy lets it make room for others. */
export function isDroppable({ shedding }: HeldFrame): boolean {
  return shedding !== undefined && shedding.policy !== 'disconnect';
}
