import { integer, oneOf, optionalText, text } from '../setting.js';

/** Endpoints for operators and back ends only. */
export const internal = {
  metricsEnabled: oneOf({
    env: 'METRICS_ENABLED',
    values: ['auto', 'on', 'off'],
    fallback: 'auto',
    effect:
      'on: /metrics exists, for everyone if neither METRICS_TOKEN nor INTERNAL_PORT is set. off: 404. auto: on, but in production only with one of the two.',
  }),
  metricsToken: optionalText({
    env: 'METRICS_TOKEN',
    unit: 'text',
    secret: true,
    pattern: /^[\w\-.~+/]{16,}=*$/,
    must: 'must be 16 or more letters, digits and -._~+/ as a bearer token has them',
    effect: 'Token that readers of /metrics must send as Authorization: Bearer. Unset: no token is needed.',
  }),
  port: integer({
    env: 'INTERNAL_PORT',
    fallback: 0,
    unit: 'TCP port',
    max: 65_535,
    effect:
      'A second port for HTTP only. /api, /docs, /contract and /metrics are then there and not on PORT. /health, /ready and /route are on both. 0 = no second port.',
  }),
  host: text({
    env: 'INTERNAL_HOST',
    fallback: '127.0.0.1',
    unit: 'address',
    effect: 'The address on which INTERNAL_PORT listens. 0.0.0.0 or :: means every address, which containers need.',
  }),
  tls: oneOf({
    env: 'INTERNAL_TLS',
    values: ['on', 'off'],
    fallback: 'off',
    effect: 'on: INTERNAL_PORT uses TLS too, with the same certificate.',
  }),
} as const;
