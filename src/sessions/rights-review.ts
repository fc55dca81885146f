import type { Session } from './session.js';

/** A port: the sessions are below the channels, whose subscriptions depend on the rights of a session. */
export abstract class RightsReview {
  /**
   * Takes away what a session may not have any more. Called whenever its rights have changed.
   *
   * @returns how many subscriptions that were; never rejects
   */
  abstract of(session: Session): Promise<number>;
}
