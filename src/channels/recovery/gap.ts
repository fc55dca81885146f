/** Lost publications, from the first to the last seq, inclusive. */
export interface Gap {
  /** Null if another epoch began, because then it is unknown how much of the previous one is lost. */
  readonly from: number | null;
  readonly to: number;
}
