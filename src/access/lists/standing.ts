import type { Principal } from '../../authentication/principal.js';
import { giverOf, isAbove, type GivenOrder, type Standing } from '../../cluster/ports/given-order.js';
import { GatehouseError } from '../../protocol/gatehouse-error.js';

type Person = Pick<Principal, 'roles'>;

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

/** The answer to someone who would lift or replace an order of someone above them. */
export function outranked(order: GivenOrder): GatehouseError {
  const giver = giverOf(order);
  return new GatehouseError('FORBIDDEN', {
    message: `An ${giver} gave this order, so only an ${giver} can undo it`,
  });
}

/** Throws the error again if it says that an order is not allowed. After other errors, the order is stored later. */
export function throwIfForbidden(error: unknown): void {
  if (error instanceof GatehouseError && error.code === 'FORBIDDEN') throw error;
}

/**
 * Whether an order applies to a person. The lower rank of the token and the current state counts: with the higher one,
 * a revoked token would be valid again as soon as its user is promoted.
 */
export function reaches(order: GivenOrder, principal: Principal): boolean {
  const giver = giverOf(order);
  return !isAbove(standingOf(principal), giver) || !isAbove(standingOf(principal.asIssued ?? principal), giver);
}
