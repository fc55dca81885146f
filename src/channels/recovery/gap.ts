/** Publications that are gone: from the first to the last seq, both included. */
export interface Gap {
  /** Null where another epoch began, and nobody can say how much of the one before is lost. */
  readonly from: number | null;
  readonly to: number;
}
