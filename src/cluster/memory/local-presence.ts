import type { ChannelName } from '../ports/broker.js';
import type { Presence } from '../ports/presence-store.js';

/** `coming` and `going` also where an attempt has failed, and nobody knows whether it was made. */
type EntryState = 'out' | 'coming' | 'in' | 'going';

/** A session of this node in a channel. What is done with it is done one after the other. */
export interface LocalEntry extends Presence {
  state: EntryState;
  turn: Promise<unknown>;
  /** How many wait for their turn, or have it. */
  waiting: number;
}

/** What this node has entered in a channel. */
export interface LocalMembers {
  readonly sessions: Map<string, LocalEntry>;
  /** Under which incarnation the channel is found when this node is lost. */
  index: { readonly incarnation: string; readonly done: Promise<void> } | undefined;
  restating: Promise<void> | undefined;
}

/** What this node has entered, by channel, so that it can be entered anew. */
export class LocalPresence {
  private readonly channels = new Map<ChannelName, LocalMembers>();

  /** @param emptied told when the last session of this node has gone out of a channel */
  constructor(private readonly emptied: (channel: ChannelName, members: LocalMembers) => void) {}

  get size(): number {
    return this.channels.size;
  }

  get names(): readonly ChannelName[] {
    return [...this.channels.keys()];
  }

  get(channel: ChannelName): LocalMembers | undefined {
    return this.channels.get(channel);
  }

  /** Does something with a session, after whatever is being done with it. */
  async inTurn<T>(
    channel: ChannelName,
    presence: Presence,
    action: (members: LocalMembers, entry: LocalEntry) => Promise<T>,
  ): Promise<T> {
    const members = this.channels.get(channel) ?? { sessions: new Map(), index: undefined, restating: undefined };
    this.channels.set(channel, members);
    const { sessionId } = presence;
    const entry: LocalEntry = members.sessions.get(sessionId) ?? {
      ...presence,
      state: 'out',
      turn: Promise.resolve(),
      waiting: 0,
    };
    members.sessions.set(sessionId, entry);
    entry.waiting += 1;
    const done = entry.turn.then(() => action(members, entry));
    entry.turn = done.catch(() => {});
    try {
      return await done;
    } finally {
      entry.waiting -= 1;
      if (entry.waiting === 0 && entry.state === 'out') this.forget(channel, members, sessionId);
    }
  }

  private forget(channel: ChannelName, members: LocalMembers, sessionId: string): void {
    members.sessions.delete(sessionId);
    if (members.sessions.size > 0) return;
    this.channels.delete(channel);
    this.emptied(channel, members);
  }
}
