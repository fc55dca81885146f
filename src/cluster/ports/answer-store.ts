export type Claim =
  /** Nobody has claimed the key, and now it is the caller's. */
  | { readonly state: 'claimed' }
  /** Somebody has, and has not answered yet. */
  | { readonly state: 'pending'; readonly fingerprint: string }
  | { readonly state: 'answered'; readonly fingerprint: string; readonly answer: unknown };

/** How long a claim and its answer are remembered. */
export const ANSWER_LIFE_MS = 300_000;

/**
 * What was answered to requests that must not be carried out twice, by a key of the client's. All implementations pass
 * test/unit/cluster/answer-store-contract.
 */
export abstract class AnswerStore {
  /**
   * Of claims that come at one time, on whatever nodes, exactly one is given the key.
   *
   * @param fingerprint tells one request from another with the same key
   * @param owner whose share of the room it takes, where there are shares
   * @throws GatehouseError SERVER_BUSY when the store cannot be reached
   */
  abstract claim(key: string, fingerprint: string, owner?: string): Promise<Claim>;

  /**
   * @param answer what JSON can write
   * @throws GatehouseError SERVER_BUSY when the store cannot be reached: then the claim stays pending
   */
  abstract keep(key: string, fingerprint: string, answer: unknown): Promise<void>;

  /** Gives up a claim, so that the next request is carried out. @throws GatehouseError SERVER_BUSY as `keep` */
  abstract release(key: string): Promise<void>;
}
