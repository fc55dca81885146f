/** The roles that have a meaning for the server. Every other role belongs to the application and stands below both. */
export type OperatorRole = 'ADMIN' | 'SERVICE';

/** The rank of a person. Nobody acts on a person, or undoes an order, above their own rank. */
export type Standing = OperatorRole | 'none';

const HEIGHTS: Readonly<Record<Standing, number>> = { none: 0, SERVICE: 1, ADMIN: 2 };

/** The field of an order that tells nodes whom it applies to. */
export interface GivenOrder {
  /**
   * Present if someone with the role SERVICE gave the order. Absent for an ADMIN, the application's own code, and older
   * releases, which did not record it.
   */
  readonly givenAs?: 'SERVICE';
}

export function isAbove(one: Standing, other: Standing): boolean {
  return HEIGHTS[one] > HEIGHTS[other];
}

export function giverOf({ givenAs }: GivenOrder): OperatorRole {
  return givenAs ?? 'ADMIN';
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
