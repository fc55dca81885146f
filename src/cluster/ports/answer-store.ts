export type Claim =
  /** The key was free, and now belongs to the caller. */
  | { readonly state: 'claimed' }
  /** The key is claimed, but has no answer yet. */
  | { readonly state: 'pending'; readonly fingerprint: string }
  | { readonly state: 'answered'; readonly fingerprint: string; readonly answer: unknown };

/** How long a claim and its answer are remembered. */
export const ANSWER_LIFE_MS = 300_000;

/**
 * Answers to requests that must not be carried out twice, by a key that the client chooses. All implementations pass
 * test/unit/cluster/answer-store-contract.
 */
export abstract class AnswerStore {
  /**
   * Of several simultaneous claims, on whatever nodes, exactly one gets the key.
   *
   * @param fingerprint tells different requests with the same key apart
   * @param owner whose share of the room it takes, if there are shares
   * @throws GatehouseError SERVER_BUSY if the store cannot be reached
   */
  abstract claim(key: string, fingerprint: string, owner?: string): Promise<Claim>;

  /**
   * @param answer a value that JSON can represent
   * @throws GatehouseError SERVER_BUSY if the store cannot be reached. The claim then stays pending
   */
  abstract keep(key: string, fingerprint: string, answer: unknown): Promise<void>;

  /**
   * Releases a claim, so that the next request is carried out.
   *
   * @throws GatehouseError SERVER_BUSY if the store cannot be reached
   */
  abstract release(key: string): Promise<void>;
}
