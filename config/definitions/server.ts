import { checkPublicUrl } from '../addresses.js';
import { integer, isOrigin, list, oneOf, optionalText, text } from '../setting.js';
import { trustedProxies } from '../trusted-proxies.js';

/** Addresses, origins and trusted proxies. */
export const server = {
  environment: oneOf({
    env: 'NODE_ENV',
    values: ['development', 'test', 'production'],
    fallback: 'development',
    effect: 'production needs a key for tokens. development makes a secret and prints a link that is ready to use.',
  }),
  port: integer({
    env: 'PORT',
    fallback: 8080,
    unit: 'TCP port',
    max: 65_535,
    effect: 'The port of HTTP and WebSocket. 0 = any free port.',
  }),
  host: optionalText({
    env: 'HOST',
    unit: 'address',
    effect: 'The address to listen on. Unset: every address, IPv6 and IPv4.',
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
      'The name of this node in hello_reply, in logs and in the cluster. No two nodes may have the same. Unset: the host name and a random part.',
  }),
  featuresFile: optionalText({
    env: 'FEATURES_FILE',
    unit: 'path',
    effect:
      'A JavaScript file whose default export is a Nest module with your gateways, or a list of such modules; relative to the working directory. If it cannot be used, the server does not start. A host application does not read it: import your modules there. Unset: only the built-in features.',
  }),
  publicUrl: optionalText({
    env: 'PUBLIC_URL',
    unit: 'URL',
    check: checkPublicUrl,
    effect:
      'Where clients reach the WebSocket endpoint of exactly this node, such as wss://node-1.example.com/ws. GET /route returns it. Unset: the host name, PORT and WS_PATH.',
  }),
  trustProxy: trustedProxies({
    env: 'TRUST_PROXY',
    effect:
      'Proxies whose X-Forwarded-For is believed: the number of proxies in front, or a list of their addresses. Empty: none.',
  }),
  forwardedHeader: oneOf({
    env: 'TRUST_PROXY_HEADER',
    values: ['x-forwarded', 'forwarded'],
    fallback: 'x-forwarded',
    effect:
      'How trusted proxies report the client: x-forwarded reads X-Forwarded-For and X-Forwarded-Proto, forwarded reads Forwarded (RFC 7239). The other one is ignored, because proxies pass on what a client writes there.',
  }),
  allowedOrigins: list({
    env: 'ALLOWED_ORIGINS',
    unit: 'origins',
    check: isOrigin,
    must: 'must be origins such as https://app.example.com, or *',
    effect:
      'Pages that may connect, such as https://app.example.com; * means any. Empty: pages of the same host name; if AUTH_MODE is not required, only pages of localhost, 127.0.0.1 and [::1] that connect to one of these names. Clients without Origin are not browsers and always pass.',
  }),
} as const;
