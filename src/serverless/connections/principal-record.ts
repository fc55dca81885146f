import { readRights } from '../../authentication/claims.js';
import { NO_ROLES, type Principal } from '../../authentication/principal.js';

/** A principal as a row of the table of connections holds it. */
export interface PrincipalRecord {
  readonly userId: string;
  readonly anonymous: boolean;
  readonly roles: readonly string[];
  readonly expiresAt?: number | undefined;
  readonly tokenId?: string | undefined;
  readonly issuedAt?: number | undefined;
  readonly channels?: Readonly<Record<string, readonly string[]>> | undefined;
}

export function recordOf(principal: Principal): PrincipalRecord {
  const { userId, anonymous, roles, expiresAt, tokenId, issuedAt, capabilities } = principal;
  const channels = capabilities && Object.fromEntries(capabilities);
  return { userId, anonymous, roles, expiresAt, tokenId, issuedAt, channels };
}

/** The rights are read as those of a token are, so that equal lists are one and comparing rights is cheap. */
export function principalOf(record: PrincipalRecord): Principal {
  const { userId, anonymous, roles, expiresAt, tokenId, issuedAt, channels } = record;
  const rights = readRights({ roles, channels });
  return Object.freeze({
    userId,
    anonymous,
    roles: rights?.roles ?? NO_ROLES,
    expiresAt,
    tokenId,
    issuedAt,
    capabilities: rights?.capabilities,
  });
}
