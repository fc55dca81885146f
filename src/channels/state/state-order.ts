/** What somebody wants done with one key. */
export interface StateOrder {
  readonly key: string;
  readonly what: 'set' | 'replace' | 'remove' | 'expire';
  /** Checked: the patch of `set`, the whole value of `replace`. */
  readonly patch?: unknown;
  /** Only if the key is at this version; 0: only if it is absent. */
  readonly ifVersion?: number | undefined;
  /** Whose a key becomes. Undefined: nobody's. */
  readonly owner?: string | undefined;
  /** Whether keys of others may not be touched. */
  readonly isOwnOnly?: boolean | undefined;
}

/** A key after an order. */
export interface StateAnswer {
  readonly key: string;
  readonly epoch: string;
  /** 0: the key is absent. */
  readonly version: number;
}

/** The publication of a state channel: `del` comes first. */
export interface StateChanges {
  /** Key → merge patch; the whole value of a key that was not there. */
  readonly set?: Readonly<Record<string, unknown>>;
  readonly del?: readonly string[];
}

/** The publication of one cell. A key that has come from another cell has its whole value in `set`. */
export interface CellChanges extends StateChanges {
  readonly cell: string;
  /** Of the keys in `del`, those that live on: the cell that each is in now. */
  readonly to?: Readonly<Record<string, string>>;
}
