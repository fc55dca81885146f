import type { ChannelName } from '../cluster/ports/broker.js';
import type { Presence, PresenceStore } from '../cluster/ports/presence-store.js';

interface Entry extends Presence {
  readonly place: ChannelName;
  isWanted: boolean;
  /** Undefined: the store was asked and did not answer. */
  isIn: boolean | undefined;
  settling: Promise<void> | undefined;
}

interface RollListener {
  /** The first entry of a place and text came, or the last one went, over all nodes. */
  changed(place: ChannelName, isIn: boolean): void;
}

const RETRY_MS = 1_000;

/**
 * What is on this node, as all nodes know it, so that another node can say what a killed one cannot. It uses the store
 * of presence, whose entries of a dead node are found and removed once. If the store is away, each change waits for it.
 */
export class SharedRoll {
  private readonly entries = new Map<string, Entry>();
  /** What wakes each change that waits for the store. */
  private readonly pauses = new Set<() => void>();
  private isClosed = false;

  constructor(
    private readonly store: Pick<PresenceStore, 'add' | 'remove'>,
    private readonly listener: RollListener,
  ) {}

  enter(place: ChannelName, id: string, text: string): void {
    const key = keyOf(place, id);
    const entry = this.entries.get(key) ?? {
      place,
      sessionId: id,
      userId: text,
      isWanted: true,
      isIn: false,
      settling: undefined,
    };
    entry.isWanted = true;
    this.entries.set(key, entry);
    this.settle(key, entry);
  }

  leave(place: ChannelName, id: string): void {
    const key = keyOf(place, id);
    const entry = this.entries.get(key);
    if (entry === undefined) return;
    entry.isWanted = false;
    this.settle(key, entry);
  }

  has(place: ChannelName, id: string): boolean {
    return this.entries.get(keyOf(place, id))?.isWanted ?? false;
  }

  async leaveAll(): Promise<void> {
    for (const { place, sessionId } of this.entries.values()) this.leave(place, sessionId);
    await this.settled();
  }

  /** Resolves when every change is carried out, or after this time. */
  async close(withinMs: number): Promise<void> {
    const deadline = setTimeout(() => this.giveUp(), withinMs);
    await this.settled();
    clearTimeout(deadline);
    this.giveUp();
  }

  private giveUp(): void {
    this.isClosed = true;
    for (const wake of this.pauses) wake();
  }

  private pause(): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        this.pauses.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, RETRY_MS).unref();
      this.pauses.add(wake);
    });
  }

  private async settled(): Promise<void> {
    await Promise.all([...this.entries.values()].map(async ({ settling }) => settling));
  }

  private settle(key: string, entry: Entry): void {
    entry.settling ??= this.carryOut(key, entry);
  }

  private async carryOut(key: string, entry: Entry): Promise<void> {
    const { place, sessionId, userId } = entry;
    // What comes and goes within one turn changes nothing, and `settling` is set by the next one.
    await Promise.resolve();
    while (entry.isIn !== entry.isWanted && !this.isClosed) {
      const { isWanted } = entry;
      const change = isWanted ? this.store.add : this.store.remove;
      try {
        const isNews = await change.call(this.store, place, { sessionId, userId });
        entry.isIn = isWanted;
        if (isNews) this.listener.changed(place, isWanted);
      } catch {
        // The store counts what it cannot reach. It may have carried out the change.
        entry.isIn = undefined;
        await this.pause();
      }
    }
    entry.settling = undefined;
    if (!entry.isWanted) this.entries.delete(key);
  }
}

function keyOf(place: ChannelName, id: string): string {
  return `${place}\0${id}`;
}
