/** Whom something is published to, as a span shows it. */
export interface Destination {
  readonly to: 'channel' | 'everyone' | 'user' | 'session' | 'role';
  /** Absent for everyone. */
  readonly name?: string;
  /** Of a channel. */
  readonly namespace?: string;
  /** Whether the name has the id of a user in it, which is not shown as it is. */
  readonly namesUser?: boolean;
}

/** There is none in the container where nothing is traced. */
export const TRACES = Symbol('Traces');

/**
 * Where the stages let what they publish and deliver be traced; what comes of it is not their business. A trace is written
 * as a `traceparent`. Where one travels, it is recorded: what is not recorded takes no room.
 */
export interface Traces {
  /** @param publish is given what is to travel with the publication */
  publish<T>(destination: Destination, publish: (trace: string | undefined) => T): T;

  /**
   * One publication, to all on this node that are to get it.
   *
   * @param trace what came with it
   * @param deliver is given what the receivers are to see; returns how many took it
   */
  deliver(destination: Destination, trace: string, deliver: (trace: string) => number): number;

  /** Returns the span that is under way, for a request to another system; undefined if it is not recorded. */
  present(): string | undefined;
}
