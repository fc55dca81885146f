export interface Ban {
  readonly kind: 'address' | 'user';
  /** The address (IPv6: its /64), or the user id. */
  readonly key: string;
  /** Milliseconds since 1970. */
  readonly until: number;
  /** Why, for operators. */
  readonly reason: string;
}

export const BAN_STORE = Symbol('BanStore');

/** The bans of the whole cluster, so that a node that starts knows them. Bans that have ended are not in it any more. */
export interface BanStore {
  /** The same kind and key again replaces the ban. @throws GatehouseError SERVER_BUSY */
  put(ban: Ban): Promise<void>;
  /** Resolves with whether there was one. @throws GatehouseError SERVER_BUSY */
  lift(kind: Ban['kind'], key: string): Promise<boolean>;
  /** @throws GatehouseError SERVER_BUSY */
  list(): Promise<readonly Ban[]>;
  /** Names what it holds. Another name later means that it has lost everything meanwhile. @throws GatehouseError SERVER_BUSY */
  life(): Promise<string>;
}
