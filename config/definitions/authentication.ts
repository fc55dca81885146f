import { checkKeySetUrl, checkSecret, importPublicKey } from '../keys.js';
import { list, milliseconds, oneOf, optionalText } from '../setting.js';

/** Tokens and identities of clients. */
export const authentication = {
  mode: oneOf({
    env: 'AUTH_MODE',
    values: ['required', 'optional', 'off'],
    fallback: 'required',
    effect:
      'required: every connection needs a token. optional: without a token the client is anonymous; a bad token is refused. off: tokens are not read.',
  }),
  refusal: oneOf({
    env: 'AUTH_REFUSAL',
    values: ['close', 'http'],
    fallback: 'close',
    effect:
      'close: the upgrade completes and closes with 4401 or 4403, which a browser can read. http: the upgrade gets 401.',
  }),
  jwtSecret: optionalText({
    env: 'JWT_SECRET',
    unit: 'text',
    secret: true,
    check: checkSecret,
    effect: 'Key of HS256, HS384 and HS512 tokens. Use at least 32 random bytes.',
  }),
  jwtPublicKey: optionalText({
    env: 'JWT_PUBLIC_KEY',
    unit: 'PEM',
    // It is public, but a private key or a shared secret may be put here by mistake.
    secret: true,
    check: importPublicKey,
    effect: 'Public key of RS, PS and ES tokens. You may write line breaks as \\n.',
  }),
  jwksUrl: optionalText({
    env: 'JWT_JWKS_URL',
    unit: 'URL',
    // A mistyped URL may contain a password.
    secret: true,
    check: checkKeySetUrl,
    effect:
      'Where the server fetches the public keys of RS, PS and ES tokens by their kid. It keeps and refreshes them.',
  }),
  issuer: optionalText({
    env: 'JWT_ISSUER',
    unit: 'text',
    effect: 'Required iss claim. Unset: any issuer is accepted.',
  }),
  audience: optionalText({
    env: 'JWT_AUDIENCE',
    unit: 'text',
    effect: 'Required aud claim. Unset: any audience is accepted.',
  }),
  clockToleranceMs: milliseconds({
    env: 'JWT_CLOCK_TOLERANCE_MS',
    fallback: 5_000,
    effect: "How far the issuer's clock may be ahead: nbf and iat may be this far in the future. exp is exact.",
  }),
  revocationTtlMs: milliseconds({
    env: 'REVOCATION_TTL_MS',
    fallback: 604_800_000,
    min: 60_000,
    effect:
      'How long a revocation without a time of its own is kept. Do not set it below the lifetime of tokens: a token that lives longer is valid again afterwards.',
  }),
  broadcastRoles: list({
    env: 'BROADCAST_ROLES',
    unit: 'roles',
    effect: 'Roles that may send broadcast; one is enough. Empty: everyone signed in.',
  }),
} as const;
