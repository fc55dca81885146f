/** What an order bears so that nodes can tell whom it reaches. */
export interface GivenOrder {
  /**
   * Present if a person with the role SERVICE gave the order. Absent: an ADMIN, the application's own code, or an older
   * release, which did not write it down.
   */
  readonly givenAs?: 'SERVICE';
}

/** Reads the field in an order that another node has written. */
export function readGiver({ givenAs }: { readonly givenAs?: unknown }): GivenOrder {
  return givenAs === 'SERVICE' ? { givenAs } : {};
}

/** The order as operators see it: who gave it is in the audit log. */
export function withoutGiver<T extends GivenOrder>(order: T): Omit<T, 'givenAs'> {
  const { givenAs, ...rest } = order;
  return givenAs === undefined ? order : rest;
}
