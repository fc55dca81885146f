import { checkKeySetUrl, checkSecret, importPublicKey } from '../keys.js';
import { list, milliseconds, oneOf, optionalText } from '../setting.js';

/** Who a client is. */
export const authentication = {
  mode: oneOf({
    env: 'AUTH_MODE',
    values: ['required', 'optional', 'off'],
    fallback: 'required',
    effect:
      'required: no connection without a token. optional: none means anonymous, a bad one is refused. off: tokens are not read.',
  }),
  refusal: oneOf({
    env: 'AUTH_REFUSAL',
    values: ['close', 'http'],
    fallback: 'close',
    effect:
      'close: the upgrade completes and closes with 4401 or 4403, which a browser can read. http: 401 on the upgrade.',
  }),
  jwtSecret: optionalText({
    env: 'JWT_SECRET',
    unit: 'text',
    secret: true,
    check: checkSecret,
    effect: 'Key of HS256, HS384 and HS512 tokens; use 32 random bytes or more.',
  }),
  jwtPublicKey: optionalText({
    env: 'JWT_PUBLIC_KEY',
    unit: 'PEM',
    // Not one itself, but what is put here by mistake is one: the private key, or the shared secret.
    secret: true,
    check: importPublicKey,
    effect: 'Key of RS, PS and ES tokens; line breaks may be written as \\n.',
  }),
  jwksUrl: optionalText({
    env: 'JWT_JWKS_URL',
    unit: 'URL',
    // A mistyped one may hold a password.
    secret: true,
    check: checkKeySetUrl,
    effect: 'Where the public keys of RS, PS and ES tokens are fetched by their kid, kept, and refreshed.',
  }),
  issuer: optionalText({ env: 'JWT_ISSUER', unit: 'text', effect: 'Demanded iss claim; unset accepts any.' }),
  audience: optionalText({ env: 'JWT_AUDIENCE', unit: 'text', effect: 'Demanded aud claim; unset accepts any.' }),
  clockToleranceMs: milliseconds({
    env: 'JWT_CLOCK_TOLERANCE_MS',
    fallback: 5_000,
    effect: "How far the issuer's clock may be ahead: nbf and iat may lie so far in the future. exp is exact.",
  }),
  revocationTtlMs: milliseconds({
    env: 'REVOCATION_TTL_MS',
    fallback: 604_800_000,
    min: 60_000,
    effect:
      'How long a revocation is kept that says nothing else. Not less than tokens live: one that lives longer is good again after it.',
  }),
  broadcastRoles: list({
    env: 'BROADCAST_ROLES',
    unit: 'roles',
    effect: 'Who may send broadcast: any of these roles; empty means everyone signed in.',
  }),
} as const;
