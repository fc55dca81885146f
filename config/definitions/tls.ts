import { integer, milliseconds, oneOf, optionalText } from '../setting.js';

/** TLS. */
export const tls = {
  certFile: optionalText({
    env: 'TLS_CERT_FILE',
    unit: 'path',
    effect:
      "The server's certificate in PEM form: its own first, then the intermediate ones. With TLS_KEY_FILE, the port serves only https and wss. Unset: no TLS here.",
  }),
  keyFile: optionalText({ env: 'TLS_KEY_FILE', unit: 'path', effect: 'The private key of the certificate, PEM.' }),
  keyPassphrase: optionalText({
    env: 'TLS_KEY_PASSPHRASE',
    unit: 'text',
    secret: true,
    effect: 'Passphrase of TLS_KEY_FILE if it is encrypted.',
  }),
  minVersion: oneOf({
    env: 'TLS_MIN_VERSION',
    values: ['TLSv1.2', 'TLSv1.3'],
    fallback: 'TLSv1.2',
    effect: 'The oldest TLS version that clients may use. Client and server use the newest that both support.',
  }),
  reloadIntervalMs: milliseconds({
    env: 'TLS_RELOAD_INTERVAL_MS',
    fallback: 10_000,
    effect:
      'How often the server checks the two files. New connections use changed files. 0 = the files are read only at the start.',
  }),
  required: oneOf({
    env: 'REQUIRE_TLS',
    values: ['on', 'off'],
    fallback: 'off',
    effect:
      'on: upgrades and HTTP requests without TLS get 403, unless a proxy of TRUST_PROXY says by X-Forwarded-Proto that they used TLS. /health and /ready are answered either way.',
  }),
  hstsMaxAgeSeconds: integer({
    env: 'HSTS_MAX_AGE_SECONDS',
    unit: 'seconds',
    fallback: 31_536_000,
    max: 4_294_967_295,
    effect:
      'How long browsers must use only TLS with this host name, sent with each HTTP response over TLS (Strict-Transport-Security). 0 = not sent.',
  }),
} as const;
