import { EventEmitter } from 'node:events';

interface EngineLinkEvents {
  /** The engine answers, for the first time or again. Its content may have changed meanwhile. */
  up: [];
  /** The engine does not answer. */
  down: [reason: string];
  /**
   * Another server answers than before, or the same one after a restart, and its content may be older. Emitted before
   * `up` if the link was down. In a cluster one server may change without that.
   */
  replaced: [];
  /** A command was refused, or not answered in time. */
  failed: [reason: string];
  /** The engine refuses commands for a named reason. Emitted once, until the reason ends. */
  refuses: [fault: string, reason: string];
  /** The engine accepts commands again that it refused for this reason. */
  accepts: [fault: string];
  /** A ping was answered. Every server that takes commands gets one each second. */
  roundTrip: [milliseconds: number];
  /** This many publications are stored, but too few replicas have confirmed them in time. */
  unreplicated: [count: number];
  /** A publication reached this node, so long after its time. */
  arrived: [milliseconds: number];
}

/** The connection to an engine in another process, for observers. Listeners must not throw. */
export abstract class EngineLink extends EventEmitter<EngineLinkEvents> {
  /** Where the engine is: in Redis, or in the primary process of this machine. */
  abstract readonly engine: 'redis' | 'primary';

  abstract readonly isUp: boolean;

  /** Why the engine refuses commands now, by name. */
  abstract readonly faults: readonly string[];

  /** Every name that `faults` can contain. */
  abstract readonly knownFaults: readonly string[];
}
