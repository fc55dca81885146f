/** The target of a publish, as a span shows it. */
export interface Destination {
  readonly to: 'channel' | 'everyone' | 'user' | 'session' | 'role';
  /** Absent for everyone. */
  readonly name?: string;
  /** Of a channel. */
  readonly namespace?: string;
  /** Whether the name contains the id of a user, which is not shown as it is. */
  readonly namesUser?: boolean;
}

/**
 * The port through which stages trace publishes and deliveries. A trace is a `traceparent`. It is passed on only if it
 * is recorded. Not provided if tracing is off.
 */
export abstract class Traces {
  /** @param publish gets the trace that travels with the publication */
  abstract publish<T>(destination: Destination, publish: (trace: string | undefined) => T): T;

  /**
   * One publication for all its receivers on this node.
   *
   * @param trace the trace that came with it
   * @param deliver gets the trace for the receivers; returns how many took it
   */
  abstract deliver(destination: Destination, trace: string, deliver: (trace: string) => number): number;

  /** Returns the active span, for a request to another system. Undefined if it is not recorded. */
  abstract present(): string | undefined;
}
