import { integer, milliseconds, oneOf, optionalText } from '../setting.js';

/** Encryption on the way. */
export const tls = {
  certFile: optionalText({
    env: 'TLS_CERT_FILE',
    unit: 'path',
    effect:
      "The server's certificate in PEM form, its own first and then those between it and the root. With TLS_KEY_FILE the port speaks TLS, https and wss only; unset means no TLS here.",
  }),
  keyFile: optionalText({ env: 'TLS_KEY_FILE', unit: 'path', effect: 'The private key of the certificate, PEM.' }),
  keyPassphrase: optionalText({
    env: 'TLS_KEY_PASSPHRASE',
    unit: 'text',
    secret: true,
    effect: 'Opens TLS_KEY_FILE where that is encrypted.',
  }),
  minVersion: oneOf({
    env: 'TLS_MIN_VERSION',
    values: ['TLSv1.2', 'TLSv1.3'],
    fallback: 'TLSv1.2',
    effect: 'The oldest TLS that clients may speak; the newest that both know is taken.',
  }),
  reloadIntervalMs: milliseconds({
    env: 'TLS_RELOAD_INTERVAL_MS',
    fallback: 10_000,
    effect:
      'How often the two files are looked at; what has changed is taken for new connections. 0 = they are read at the start only.',
  }),
  required: oneOf({
    env: 'REQUIRE_TLS',
    values: ['on', 'off'],
    fallback: 'off',
    effect:
      'on: upgrades and HTTP requests that did not come over TLS are refused with 403, unless a proxy of TRUST_PROXY says by X-Forwarded-Proto that they did. /health and /ready are answered either way.',
  }),
  hstsMaxAgeSeconds: integer({
    env: 'HSTS_MAX_AGE_SECONDS',
    unit: 'seconds',
    fallback: 31_536_000,
    max: 4_294_967_295,
    effect:
      'How long browsers are to use nothing but TLS with this host name, told with each HTTP answer over TLS (Strict-Transport-Security). 0 = they are not told.',
  }),
} as const;
