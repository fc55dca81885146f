import type { Capabilities, Capability, Principal } from './principal.js';
import { NO_ROLES } from './principal.js';
import { shareCapabilities, shareRoles } from './shared-lists.js';

const MAX_SUBJECT_LENGTH = 256;
const MAX_TOKEN_ID_LENGTH = 256;
const MAX_ROLES = 64;
const MAX_ROLE_LENGTH = 64;
const MAX_CHANNEL_PATTERN_LENGTH = 255;

// Beyond this, Date has no value (ECMA-262 §21.4.1.1), and whoever prints the expiry would throw.
const MAX_TIME_MS = 8.64e15;

/** Reads the claims of a token whose signature and validity period were checked; undefined when their shape is wrong. */
export function principalFromClaims(claims: unknown): Principal | undefined {
  if (!isRecord(claims)) return undefined;

  const { sub, exp, jti } = claims;
  if (!isText(sub, MAX_SUBJECT_LENGTH)) return undefined;
  if (jti !== undefined && !isText(jti, MAX_TOKEN_ID_LENGTH)) return undefined;
  if (exp !== undefined && !isTimeInSeconds(exp)) return undefined;

  const roles = readRoles(claims.roles);
  if (roles === undefined) return undefined;

  const capabilities = claims.channels === undefined ? undefined : readCapabilities(claims.channels);
  if (capabilities === undefined && claims.channels !== undefined) return undefined;

  return Object.freeze({
    userId: sub,
    roles,
    anonymous: false,
    expiresAt: exp === undefined ? undefined : Math.floor(exp * 1000),
    tokenId: jti,
    capabilities,
  });
}

function readRoles(claim: unknown): readonly string[] | undefined {
  if (claim === undefined) return NO_ROLES;
  if (!Array.isArray(claim) || claim.length > MAX_ROLES) return undefined;
  const roles: readonly unknown[] = claim;
  return roles.every((role) => isText(role, MAX_ROLE_LENGTH)) ? shareRoles(roles) : undefined;
}

// The token's 8 KiB bound the number of patterns.
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

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isText(value: unknown, maxLength: number): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= maxLength;
}

function isTimeInSeconds(value: unknown): value is number {
  return typeof value === 'number' && Math.abs(value * 1000) <= MAX_TIME_MS;
}
