export const CAPABILITIES = ['subscribe', 'publish', 'history', 'presence'] as const;
/** What a token may allow in channels. */
export type Capability = (typeof CAPABILITIES)[number];

/** Channel pattern → what the token allows there, on top of what the namespace allows. */
export type Capabilities = ReadonlyMap<string, readonly Capability[]>;

/** Who stands behind a connection. Lives as long as the connection, so it shares whatever it can. */
export interface Principal {
  readonly userId: string;
  readonly roles: readonly string[];
  readonly anonymous: boolean;
  /** Milliseconds since 1970; undefined = the token does not expire. */
  readonly expiresAt: number | undefined;
  /** The token's `jti`. */
  readonly tokenId: string | undefined;
  /** The token's `iat`, in milliseconds since 1970. */
  readonly issuedAt: number | undefined;
  readonly capabilities: Capabilities | undefined;
  /** What the token says, where an operator has put other rights in the place of its own. */
  readonly asIssued?: Principal;
}

/** What a principal may do, apart from what is its own by its name. */
export type Rights = Pick<Principal, 'roles' | 'capabilities'>;

/** Roles of the same claim are one list as a rule, so this compares little. */
export function hasSameRights(one: Rights, other: Rights): boolean {
  const areSame = one.roles === other.roles || JSON.stringify(one.roles) === JSON.stringify(other.roles);
  return areSame && hasSameCapabilities(one.capabilities, other.capabilities);
}

function hasSameCapabilities(one: Capabilities | undefined, other: Capabilities | undefined): boolean {
  if (one === other) return true;
  if (one?.size !== other?.size) return false;
  // The lists of words are shared, one for each set of them.
  return [...(one ?? [])].every(([pattern, words]) => other?.get(pattern) === words);
}

export const NO_ROLES: readonly string[] = Object.freeze([]);

/** Somebody who brought no token where none is needed: has no roles and is not signed in. */
export function anonymousPrincipal(id: string): Principal {
  return withoutToken(id, true);
}

/** Somebody on a server that reads no tokens: has no roles, but counts as signed in. */
export function guestPrincipal(id: string): Principal {
  return withoutToken(id, false);
}

function withoutToken(userId: string, anonymous: boolean): Principal {
  return Object.freeze({
    userId,
    roles: NO_ROLES,
    anonymous,
    expiresAt: undefined,
    tokenId: undefined,
    issuedAt: undefined,
    capabilities: undefined,
  });
}
