export const CAPABILITIES = ['subscribe', 'publish', 'history', 'presence'] as const;
/** What a token may allow in channels. */
export type Capability = (typeof CAPABILITIES)[number];

/** Channel pattern → what the token allows there, in addition to its namespace. */
export type Capabilities = ReadonlyMap<string, readonly Capability[]>;

/** The user of a connection. It lives as long as the connection, so its parts are shared if possible. */
export interface Principal {
  readonly userId: string;
  readonly roles: readonly string[];
  readonly anonymous: boolean;
  /** Milliseconds since 1970; undefined: the token does not expire. */
  readonly expiresAt: number | undefined;
  /** The token's `jti`. */
  readonly tokenId: string | undefined;
  /** The token's `iat`, in milliseconds since 1970. */
  readonly issuedAt: number | undefined;
  readonly capabilities: Capabilities | undefined;
  /** The rights in the token, if an operator has replaced them. */
  readonly asIssued?: Principal;
}

/** The rights of a principal, besides those that come with its user id. */
export type Rights = Pick<Principal, 'roles' | 'capabilities'>;

/** Roles of equal claims usually share one list, so this compares little. */
export function hasSameRights(one: Rights, other: Rights): boolean {
  const areSame = one.roles === other.roles || JSON.stringify(one.roles) === JSON.stringify(other.roles);
  return areSame && hasSameCapabilities(one.capabilities, other.capabilities);
}

function hasSameCapabilities(one: Capabilities | undefined, other: Capabilities | undefined): boolean {
  if (one === other) return true;
  if (one?.size !== other?.size) return false;
  // The lists of capabilities are shared, one for each set.
  return [...(one ?? [])].every(([pattern, words]) => other?.get(pattern) === words);
}

export const NO_ROLES: readonly string[] = Object.freeze([]);

/** A client without a token where none is required: it has no roles and is not signed in. */
export function anonymousPrincipal(id: string): Principal {
  return withoutToken(id, true);
}

/** A client of a server that reads no tokens: it has no roles, but counts as signed in. */
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
