import type { Principal } from '../../authentication/principal.js';
import type { GivenOrder } from '../../cluster/ports/given-order.js';

/** The roles that have a meaning for the server. Every other role belongs to the application and stands below both. */
export type OperatorRole = 'ADMIN' | 'SERVICE';

/** The rank of a person. Nobody acts on a person, or undoes an order, above their own rank. */
export type Standing = OperatorRole | 'none';

type Person = Pick<Principal, 'roles'>;

const HEIGHTS: Readonly<Record<Standing, number>> = { none: 0, SERVICE: 1, ADMIN: 2 };

export function isAbove(one: Standing, other: Standing): boolean {
  return HEIGHTS[one] > HEIGHTS[other];
}

export function highestOf(standings: Iterable<Standing>): Standing {
  let highest: Standing = 'none';
  for (const standing of standings) if (isAbove(standing, highest)) highest = standing;
  return highest;
}

export function standingOf({ roles }: Person): Standing {
  if (roles.includes('ADMIN')) return 'ADMIN';
  return roles.includes('SERVICE') ? 'SERVICE' : 'none';
}

/** The field of an order that this person gives. */
export function givenBy(person: Person): GivenOrder {
  return standingOf(person) === 'ADMIN' ? {} : { givenAs: 'SERVICE' };
}

export function giverOf({ givenAs }: GivenOrder): OperatorRole {
  return givenAs ?? 'ADMIN';
}

/**
 * Whether an order applies to a person. The lower rank of the token and the current state counts: with the higher one,
 * a revoked token would be valid again as soon as its user is promoted.
 */
export function reaches(order: GivenOrder, principal: Principal): boolean {
  const giver = giverOf(order);
  return !isAbove(standingOf(principal), giver) || !isAbove(standingOf(principal.asIssued ?? principal), giver);
}
