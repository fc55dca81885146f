import { readRights } from '../../authentication/claims.js';
import { NO_ROLES, type Principal, type Rights } from '../../authentication/principal.js';
import { giverOf, isAbove } from '../../cluster/ports/given-order.js';
import type { Revocation, RevocationOf, RightsChange } from '../../cluster/ports/revocation-store.js';
import { reaches, standingOf } from './standing.js';

interface Entry {
  readonly revocation: Revocation;
  /** The rights of a change, which sessions share. */
  readonly rights: Rights | undefined;
}

/** The revocations that this node knows, for the check at every upgrade, refresh and request. */
export class RevocationList {
  /** By kind, so that a look-up builds no key: all sessions are checked in one turn when a node rejoins. */
  private readonly entries = {
    token: new Map<string, Entry>(),
    user: new Map<string, Entry>(),
    rights: new Map<string, Entry>(),
  };

  /** Counts what was put and lifted, for those who look now and then. */
  changes = 0;

  /** @param max beyond it, new entries are refused; none may displace another */
  constructor(private readonly max: number) {}

  get size(): number {
    const { token, user, rights } = this.entries;
    return token.size + user.size + rights.size;
  }

  /**
   * Merges with an entry of the same kind and key, and the result is the stricter one. Lifting is a separate operation.
   *
   * @param now milliseconds since 1970
   * @returns false if there is no room
   */
  put(revocation: Revocation, now: number): boolean {
    const { kind, key } = revocation;
    const present = this.entries[kind].get(key)?.revocation;
    if (!present && this.size >= this.max) this.dropEnded(now);
    if (!present && this.size >= this.max) return false;
    const strictest = present === undefined ? revocation : stricter(present, revocation);
    const rights = strictest.kind === 'rights' ? rightsOf(strictest) : undefined;
    this.entries[kind].set(key, { revocation: strictest, rights });
    this.changes += 1;
    return true;
  }

  lift(kind: Revocation['kind'], key: string): boolean {
    this.changes += 1;
    return this.entries[kind].delete(key);
  }

  get<K extends Revocation['kind']>(kind: K, key: string): RevocationOf<K> | undefined {
    return this.entries[kind].get(key)?.revocation as RevocationOf<K> | undefined;
  }

  /** The entries in force. */
  active(now: number): readonly Revocation[] {
    this.dropEnded(now);
    const { token, user, rights } = this.entries;
    return [...token.values(), ...user.values(), ...rights.values()].map(({ revocation }) => revocation);
  }

  /** Applies the list to a principal: returns it unchanged or with other rights. Undefined if its token is revoked. */
  judge(principal: Principal, now: number): Principal | undefined {
    if (this.size === 0 && principal.asIssued === undefined) return principal;
    const issued = principal.asIssued ?? principal;
    const { userId, tokenId } = issued;
    const change = this.inForce('rights', userId, now);
    const person = isMeant(issued, change) && change?.rights ? withRights(issued, change.rights) : issued;
    const ofToken = tokenId === undefined ? undefined : this.inForce('token', tokenId, now);
    if (ofToken !== undefined && reaches(ofToken.revocation, person)) return undefined;
    return isMeant(person, this.inForce('user', userId, now)) ? undefined : person;
  }

  private inForce(kind: Revocation['kind'], key: string, now: number): Entry | undefined {
    const entry = this.entries[kind].get(key);
    if (entry === undefined || entry.revocation.until > now) return entry;
    this.entries[kind].delete(key);
    return undefined;
  }

  private dropEnded(now: number): void {
    for (const ofKind of Object.values(this.entries))
      for (const [key, { revocation }] of ofKind) if (revocation.until <= now) ofKind.delete(key);
  }
}

/** Nodes that get two entries in different orders reach the same result. */
function stricter(one: Revocation, other: Revocation): Revocation {
  const until = Math.max(one.until, other.until);
  // Merged, an order of a SERVICE would apply to ADMINs, or one of an ADMIN would stop applying to them.
  if (isAbove(giverOf(one), giverOf(other))) return { ...one, until };
  if (isAbove(giverOf(other), giverOf(one))) return { ...other, until };
  if (one.kind === 'token' || other.kind === 'token') return { ...other, until };
  const later = other.issuedBefore >= one.issuedBefore ? other : one;
  return { ...later, until };
}

/** A token without a time of issue counts as issued before. */
function isMeant(principal: Principal, entry: Entry | undefined): boolean {
  if (entry === undefined || entry.revocation.kind === 'token') return false;
  if (!reaches(entry.revocation, principal)) return false;
  const { issuedAt } = principal;
  return issuedAt === undefined || issuedAt < entry.revocation.issuedBefore;
}

function withRights(issued: Principal, { roles, capabilities = issued.capabilities }: Rights): Principal {
  return Object.freeze({ ...issued, roles, capabilities, asIssued: issued });
}

/**
 * An order that cannot be read, because a newer release wrote it, or that grants more than its giver may, allows
 * nothing.
 */
function rightsOf({ roles, channels, ...order }: RightsChange): Rights {
  if (isAbove(standingOf({ roles }), giverOf(order))) return { roles: NO_ROLES, capabilities: new Map() };
  return readRights({ roles, channels }) ?? { roles: NO_ROLES, capabilities: new Map() };
}
