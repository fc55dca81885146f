import type { ChannelName } from '../ports/broker.js';
import type { Presence } from '../ports/presence-store.js';

/** `coming` and `going` also stand for a failed attempt, which the store may have carried out or not. */
type EntryState = 'out' | 'coming' | 'in' | 'going';

/** A session of this node in a channel. Operations on it run one after the other. */
export interface LocalEntry extends Presence {
  state: EntryState;
  turn: Promise<unknown>;
  /** Operations that wait or run. */
  waiting: number;
}

/** The members of a channel that this node has entered. */
export interface LocalMembers {
  readonly sessions: Map<string, LocalEntry>;
  /** The incarnation under which the channel can be found if this node is lost. */
  index: { readonly incarnation: string; readonly done: Promise<void> } | undefined;
  restating: Promise<void> | undefined;
}

/** Everything that this node has entered, by channel, so that it can be entered again. */
export class LocalPresence {
  private readonly channels = new Map<ChannelName, LocalMembers>();

  /** @param emptied called when the last session of this node has left a channel */
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

  /** Runs an operation on a session after the operations before it. */
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
