import type { Position } from '../cluster/ports/broker.js';
import type { Recovery } from './recovery/recovery-reply.js';

/** How a session is subscribed. */
export interface SubscribeOptions {
  /** Where the client stood when it was last connected. */
  readonly since?: Position | undefined;
  /** The session it then had: what that session excluded itself from stays excluded. */
  readonly previousSession?: string | undefined;
  /** Whether it wants to hear who joins and leaves, where the namespace tells. */
  readonly presence?: boolean | undefined;
  /**
   * Whether the subscription stands on the session's own rights, as those that clients ask for do: it ends with them. Default
   * false: the caller has decided, and the caller ends it.
   */
  readonly isByRight?: boolean | undefined;
}

/** The state of a subscription, and the step that opens it for live publications. */
export interface Subscribed extends Recovery {
  readonly channel: string;
  /** To be called once the client has been told: what was published meanwhile follows, in order. */
  readonly goLive: () => void;
}
