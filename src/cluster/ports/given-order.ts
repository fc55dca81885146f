/** The field of an order that tells nodes whom it applies to. */
export interface GivenOrder {
  /**
   * Present if someone with the role SERVICE gave the order. Absent for an ADMIN, the application's own code, and older
   * releases, which did not record it.
   */
  readonly givenAs?: 'SERVICE';
}

/** Reads the field from an order of another node. */
export function readGiver({ givenAs }: { readonly givenAs?: unknown }): GivenOrder {
  return givenAs === 'SERVICE' ? { givenAs } : {};
}

/** The order as operators see it. The audit log says who gave it. */
export function withoutGiver<T extends GivenOrder>(order: T): Omit<T, 'givenAs'> {
  const { givenAs, ...rest } = order;
  return givenAs === undefined ? order : rest;
}
