import { bytes, oneOf } from '../setting.js';

/** The server API. */
export const api = {
  enabled: oneOf({
    env: 'API_ENABLED',
    values: ['on', 'off'],
    fallback: 'on',
    effect: 'off: there is no server API under /api. GET /route exists either way.',
  }),
  docs: oneOf({
    env: 'API_DOCS',
    values: ['auto', 'on', 'off'],
    fallback: 'auto',
    effect:
      'on: /docs shows the server API and /docs-json is its OpenAPI document; /contract shows the messages. off: none of them exists. auto: on, except in production.',
  }),
  console: oneOf({
    env: 'CONSOLE_ENABLED',
    values: ['auto', 'on', 'off'],
    fallback: 'auto',
    effect:
      'on: /console is a page for operators, on the internal port if there is one. off: it does not exist. auto: on, except in production. Without the server API it does not exist either.',
  }),
  maxBodyBytes: bytes({
    env: 'API_MAX_BODY_BYTES',
    fallback: 1_048_576,
    min: 1_024,
    max: 1_073_741_824,
    effect: 'Largest body of a request to the server API. A larger one gets 413.',
  }),
} as const;
