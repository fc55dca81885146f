import { EventEmitter } from 'node:events';

interface EngineLinkEvents {
  /** The engine answers, for the first time or again. What it holds may have changed meanwhile. */
  up: [];
  /** It does not answer. */
  down: [reason: string];
  /**
   * Another server answers than before, or the same after a restart: what it holds may be older than what was there. Before
   * `up` where the link was down; one server of a cluster may be another without that.
   */
  replaced: [];
  /** A command failed: it was refused, or not answered in time. */
  failed: [reason: string];
  /** The engine refuses commands for a reason that has a name. Told once, until it is over. */
  refuses: [fault: string, reason: string];
  /** That is over. */
  accepts: [fault: string];
  /** A ping was answered, as each server that takes commands is sent one a second. */
  roundTrip: [milliseconds: number];
  /** So many publications are stored, and too few replicas have confirmed them in time. */
  unreplicated: [count: number];
  /** What was published on some node has come to this one: so long after its time. */
  arrived: [milliseconds: number];
}

/** The connection to an engine that is another process, for those who show how it is. Listeners must not throw. */
export abstract class EngineLink extends EventEmitter<EngineLinkEvents> {
  abstract readonly isUp: boolean;

  /** Why the engine refuses commands now, as far as that has a name. */
  abstract readonly faults: readonly string[];

  /** Every name that `faults` can hold. */
  abstract readonly knownFaults: readonly string[];
}
