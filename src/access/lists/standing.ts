import type { Principal } from '../../authentication/principal.js';
import type { GivenOrder } from '../../cluster/ports/given-order.js';

/** The roles that the server itself gives powers to. Every other role is the application's own and stands below both. */
export type OperatorRole = 'ADMIN' | 'SERVICE';

/** How high a person stands. Nobody acts on a person, or undoes an order, above their own standing. */
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

/** What an order of this person bears. */
export function givenBy(person: Person): GivenOrder {
  return standingOf(person) === 'ADMIN' ? {} : { givenAs: 'SERVICE' };
}

export function giverOf({ givenAs }: GivenOrder): OperatorRole {
  return givenAs ?? 'ADMIN';
}

/**
 * Whether an order holds for a person. The lower one counts of what their token says and what holds now: by the higher one, a
 * token that was revoked would be good again as soon as its user is promoted.
 */
export function reaches(order: GivenOrder, principal: Principal): boolean {
  const giver = giverOf(order);
  return !isAbove(standingOf(principal), giver) || !isAbove(standingOf(principal.asIssued ?? principal), giver);
}
