/** Limits that whatever is in front of the server sets for every connection. */
export interface ConnectionLifetime {
  /** A connection that is silent for so long is ended, in milliseconds. */
  readonly idleMs: number;
  /** A connection that is so old is ended, in milliseconds. */
  readonly maxAgeMs: number;
}
