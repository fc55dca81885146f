import { checkPublicUrl } from '../addresses.js';
import { integer, isOrigin, list, oneOf, optionalText, text } from '../setting.js';
import { trustedProxies } from '../trusted-proxies.js';

/** Where the server is, and whom it believes. */
export const server = {
  environment: oneOf({
    env: 'NODE_ENV',
    values: ['development', 'test', 'production'],
    fallback: 'development',
    effect: 'production demands a key for tokens; development makes a secret and prints a ready link.',
  }),
  port: integer({
    env: 'PORT',
    fallback: 8080,
    unit: 'TCP port',
    max: 65_535,
    effect: 'The one port of HTTP and WebSocket; 0 takes a free one.',
  }),
  host: optionalText({
    env: 'HOST',
    unit: 'address',
    effect: 'The address to listen on; unset means every address, IPv6 and IPv4.',
  }),
  wsPath: text({
    env: 'WS_PATH',
    fallback: '/ws',
    unit: 'path',
    pattern: /^\/[\w\-./]*$/,
    must: 'must be a path such as /ws',
    effect: 'The path of the WebSocket endpoint.',
  }),
  serverId: optionalText({
    env: 'SERVER_ID',
    unit: 'name',
    pattern: /^[\w.-]{1,64}$/,
    must: 'must be 1 to 64 letters, digits, dots, dashes or underscores',
    effect:
      'The name of this node in hello_reply, logs and among the nodes of a cluster, where no two may have the same; unset means host name and a random part.',
  }),
  featuresFile: optionalText({
    env: 'FEATURES_FILE',
    unit: 'path',
    effect:
      'A JavaScript file whose default export is a Nest module with gateways of your own, or a list of such modules; relative to the working directory. A file that cannot be used stops the start. In a host application it is not read: import your modules there. Unset means the built-in features alone.',
  }),
  publicUrl: optionalText({
    env: 'PUBLIC_URL',
    unit: 'URL',
    check: checkPublicUrl,
    effect:
      'Where clients reach the WebSocket endpoint of this very node, such as wss://node-1.example.com/ws, told by GET /route; unset means the host name, PORT and WS_PATH.',
  }),
  trustProxy: trustedProxies({
    env: 'TRUST_PROXY',
    effect:
      'Whose X-Forwarded-For is believed: a number of proxies in front, or a list of their addresses; empty believes nobody.',
  }),
  forwardedHeader: oneOf({
    env: 'TRUST_PROXY_HEADER',
    values: ['x-forwarded', 'forwarded'],
    fallback: 'x-forwarded',
    effect:
      'Where trusted proxies report the client: x-forwarded reads X-Forwarded-For and X-Forwarded-Proto, forwarded reads Forwarded (RFC 7239). The other one is ignored, because proxies pass on what a client writes there.',
  }),
  allowedOrigins: list({
    env: 'ALLOWED_ORIGINS',
    unit: 'origins',
    check: isOrigin,
    must: 'must be origins such as https://app.example.com, or *',
    effect:
      'Pages that may connect, such as https://app.example.com; * means any. Empty means pages of the same host name; where AUTH_MODE is not required, only pages of localhost, 127.0.0.1 and [::1] that connect to one of these names. Clients that send no Origin are no browsers and always pass.',
  }),
} as const;
