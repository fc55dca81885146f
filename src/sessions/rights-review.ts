import type { Session } from './session.js';

/** A port: sessions are a lower stage than channels, whose subscriptions depend on the rights of a session. */
export abstract class RightsReview {
  /**
   * Ends subscriptions that a session may not have any more. Called whenever its rights have changed.
   *
   * @returns the number of subscriptions that ended; never rejects
   */
  abstract of(session: Session): Promise<number>;
}
