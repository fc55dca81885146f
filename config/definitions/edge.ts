import { oneOf, optionalText } from '../setting.js';
import { checkWritableFolder } from '../writable-folder.js';

/** Edge nodes: servers near the devices, which store messages and send them to a server at the centre. */
export const edge = {
  upstream: optionalText({
    env: 'EDGE_UPSTREAM',
    unit: 'URL',
    pattern: /^wss?:\/\/[^\s@#]+$/,
    must: 'must be ws://host[:port]/path or wss://host[:port]/path, without user name and fragment',
    effect:
      'The centre of this edge node: the WebSocket endpoint of another Gatehouse. See docs/edge.md. Needs the packages classic-level and @gatehouse/client. Unset: this is no edge node.',
  }),
  token: optionalText({
    env: 'EDGE_TOKEN',
    unit: 'token',
    secret: true,
    effect: 'Token that the edge node presents to the centre. Its sub names the edge, and it needs the role EDGE.',
  }),
  tokenFile: optionalText({
    env: 'EDGE_TOKEN_FILE',
    unit: 'path',
    effect: 'File with that token, read again whenever the centre needs a new one. Set this or EDGE_TOKEN.',
  }),
  folder: optionalText({
    env: 'EDGE_DIR',
    unit: 'path',
    check: checkWritableFolder,
    effect: 'Folder for the store of the edge node, on a disk that survives a restart. One process uses it at a time.',
  }),
  file: optionalText({
    env: 'EDGE_FILE',
    unit: 'path',
    effect: 'File that says what an edge node forwards and mirrors. Unset: config/edge.yaml in the working directory.',
  }),
  centre: oneOf({
    env: 'EDGE_CENTRE',
    values: ['on', 'off'],
    fallback: 'off',
    effect:
      'on: this server takes the messages that edge nodes with the role EDGE forward. off: it does not know them.',
  }),
} as const;
