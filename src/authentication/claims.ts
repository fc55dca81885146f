import { isRecord } from '../protocol/record.js';
import type { Capabilities, Capability, Principal, Rights } from './principal.js';
import { NO_ROLES } from './principal.js';
import { shareCapabilities, shareRoles } from './shared-lists.js';

const MAX_SUBJECT_LENGTH = 256;
const MAX_TOKEN_ID_LENGTH = 256;
const MAX_ROLES = 64;
const MAX_ROLE_LENGTH = 64;
const MAX_CHANNEL_PATTERN_LENGTH = 255;

// Beyond this, Date has no value (ECMA-262 §21.4.1.1), and printing the expiry would throw.
export const MAX_TIME_MS = 8.64e15;

/**
 * Reads the claims of a token whose signature and `exp` were checked. Undefined if their shape is wrong, or the token
 * is from the future.
 *
 * @param toleranceMs how far the issuer's clock may be ahead of ours
 */
export function principalFromClaims(claims: unknown, toleranceMs = 0): Principal | undefined {
  if (!isRecord(claims)) return undefined;

  const { sub, exp, nbf, iat, jti } = claims;
  if (!isText(sub, MAX_SUBJECT_LENGTH)) return undefined;
  if (jti !== undefined && !isText(jti, MAX_TOKEN_ID_LENGTH)) return undefined;
  if (exp !== undefined && !isTimeInSeconds(exp)) return undefined;

  const now = Date.now();
  // A token from the future would outlive a revocation of all tokens of its user.
  if (!hasCome(nbf, now + toleranceMs) || !hasCome(iat, now + toleranceMs)) return undefined;

  const rights = readRights(claims);
  if (rights === undefined) return undefined;

  return Object.freeze({
    userId: sub,
    roles: rights.roles,
    anonymous: false,
    expiresAt: exp === undefined ? undefined : Math.floor(exp * 1000),
    tokenId: jti,
    // The client has it now, so it was issued before now, whatever the issuer's clock says.
    issuedAt: iat === undefined ? undefined : Math.min(Math.floor(iat * 1000), now),
    capabilities: rights.capabilities,
  });
}

/** Reads `roles` and `channels`, of a token or of an operator's order. Undefined if their shape is wrong. */
export function readRights({ roles: roleList, channels }: Readonly<Record<string, unknown>>): Rights | undefined {
  const roles = readRoles(roleList);
  const capabilities = channels === undefined ? undefined : readCapabilities(channels);
  const isWrong = roles === undefined || (capabilities === undefined && channels !== undefined);
  return isWrong ? undefined : { roles, capabilities };
}

function readRoles(claim: unknown): readonly string[] | undefined {
  if (claim === undefined) return NO_ROLES;
  if (!Array.isArray(claim) || claim.length > MAX_ROLES) return undefined;
  const roles: readonly unknown[] = claim;
  return roles.every((role) => isText(role, MAX_ROLE_LENGTH)) ? shareRoles(roles) : undefined;
}

// The limit of 8 KiB for tokens also limits the number of patterns.
function readCapabilities(claim: unknown): Capabilities | undefined {
  if (!isRecord(claim)) return undefined;

  const capabilities = new Map<string, readonly Capability[]>();
  for (const [pattern, words] of Object.entries(claim)) {
    if (!isText(pattern, MAX_CHANNEL_PATTERN_LENGTH) || !Array.isArray(words)) return undefined;
    const allowed = shareCapabilities(words);
    if (allowed === undefined) return undefined;
    capabilities.set(pattern, allowed);
  }
  return capabilities;
}

function isText(value: unknown, maxLength: number): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= maxLength;
}

/** For optional claims. */
function hasCome(claim: unknown, latest: number): claim is number | undefined {
  return claim === undefined || (isTimeInSeconds(claim) && claim * 1000 <= latest);
}

function isTimeInSeconds(value: unknown): value is number {
  return typeof value === 'number' && Math.abs(value * 1000) <= MAX_TIME_MS;
}
