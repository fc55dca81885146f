import { describe, expect, it } from 'vitest';
import { edgeFaults, loadEdgeRules, parseEdgeRules } from '../../../config/edge-file.js';
import type { Hooks } from '../../../config/hooks.js';
import { parseNamespaces } from '../../../config/namespaces.js';
import type { UnusableSettings } from '../../../config/unusable-settings.js';

const KEPT = 'history: { size: 10, age: 1h }';
const NAMESPACES = parseNamespaces(
  `namespaces: { room: {}, vault: { encryption: required, ${KEPT} }, feed: { ${KEPT} }, map: { state: {}, ${KEPT} } }`,
);
const ALONE = { cluster: { redisUrl: undefined } };
const EDGE = {
  upstream: 'wss://centre.example/edge',
  token: 't',
  tokenFile: undefined,
  folder: '/data',
  file: undefined,
};

function faultsOf(read: () => unknown): readonly string[] {
  try {
    read();
    return [];
  } catch (error) {
    return (error as UnusableSettings).faults;
  }
}

describe('an edge file', () => {
  it('has defaults for what it does not say', () => {
    expect(parseEdgeRules('forward: { types: [reading] }', NAMESPACES)).toEqual({
      forward: [
        {
          name: 'default',
          types: ['reading'],
          channels: [],
          into: 'edge:{type}',
          ttlMs: 86_400_000,
          maxBytes: 1_073_741_824,
          onFull: 'reject',
          priority: 'normal',
        },
      ],
      local: [],
      through: [],
      mirror: [],
    });
  });

  it.each(['', 'forward:\nlocal:\nthrough:\nmirror:'])('forwards and mirrors nothing if it is empty: %j', (text) => {
    expect(parseEdgeRules(text, NAMESPACES)).toEqual({ forward: [], local: [], through: [], mirror: [] });
  });

  it('takes sizes with and without a unit', () => {
    const sizes = ['65536', '64KiB', '2MiB', '1GiB', '70000B'].map(
      (size) => parseEdgeRules(`forward: { types: [a], max_bytes: ${size} }`, NAMESPACES).forward[0]?.maxBytes,
    );
    expect(sizes).toEqual([65_536, 65_536, 2_097_152, 1_073_741_824, 70_000]);
  });

  it.each([
    ['rules: []', 'rules is not known'],
    ['- forward', 'the file must be a map'],
    ['forward: [', 'is not valid YAML'],
    ['forward: {}', 'forward must have types or channels'],
    ['forward: [7]', 'forward[0] must be a map', 'forward[0] must have types or channels'],
    ['forward: { types: [a], name: a b }', 'forward.name must be 1 to 32 letters, digits, _ and -'],
    [
      'forward: { types: reading }',
      'forward.types must be a list of names without spaces',
      'forward must have types or channels',
    ],
    ['forward: { types: [a], into: nowhere }', 'forward.into must be a channel name, in which {type} stands for'],
    ['forward: { types: [a], ttl: 500ms }', 'forward.ttl must be a duration such as 90s, 24h or 7d, at least 1s'],
    ['forward: { types: [a], ttl: soon }', 'forward.ttl must be a duration'],
    ['forward: { types: [a], max_bytes: 1KiB }', 'forward.max_bytes must be a size such as 64MiB or 1GiB'],
    ['forward: { types: [a], max_bytes: much }', 'forward.max_bytes must be a size'],
    ['forward: { types: [a], max_bytes: -1 }', 'forward.max_bytes must be a whole number'],
    ['forward: { types: [a], on_full: block }', 'forward.on_full must be one of reject, drop_oldest'],
    ['forward: { types: [a], priority: low }', 'forward.priority must be one of high, normal'],
    ['forward: { types: [a], retries: 3 }', 'forward.retries is not known'],
    ['forward: [{ types: [a] }, { types: [b] }]', 'forward: two rules have the name default. Give each its own'],
    ['forward: { channels: ["va*:a"] }', 'forward: va*:a cannot be forwarded, because the namespace vault requires'],
    ['local: echo', 'local must be a list of names without spaces'],
    ['through: [a b]', 'through must be a list of names without spaces'],
    ['mirror: feed', 'mirror must be a list of names without spaces'],
    ['mirror: ["nowhere:*"]', 'mirror: nowhere:* has no namespace in the channels file'],
    ['mirror: ["room:*"]', 'mirror: room:* cannot be mirrored: the namespace room needs a history, so that nothing is'],
    ['mirror: ["map:*"]', 'mirror: map:* cannot be mirrored: the namespace map has state'],
    ['mirror: ["v*:a", "feed:*"]', 'mirror: v*:a cannot be mirrored: the namespace vault requires encryption'],
  ])('is refused for %s', (text, ...faults) => {
    const expected = faults.map((fault) => expect.stringContaining(`edge.yaml: ${fault}`) as string);
    expect(faultsOf(() => parseEdgeRules(text, NAMESPACES))).toEqual(expected);
  });

  it('is read only at an edge node, and named if it cannot be read', () => {
    expect(loadEdgeRules({ ...EDGE, upstream: undefined, file: '/no/such' }, NAMESPACES)).toBeUndefined();
    expect(faultsOf(() => loadEdgeRules({ ...EDGE, file: '/no/such' }, NAMESPACES))).toEqual([
      'EDGE_FILE: /no/such cannot be read (ENOENT)',
    ]);
  });
});

describe('the settings of an edge node', () => {
  it('have no fault if they are whole, or if this is no edge node', () => {
    expect(edgeFaults({ edge: EDGE, ...ALONE }, undefined)).toEqual([]);
    expect(edgeFaults({ edge: { ...EDGE, upstream: undefined, folder: undefined }, ...ALONE }, undefined)).toEqual([]);
  });

  it('need one token and a folder, and exclude Redis and hooks for messages', () => {
    const hooks = { messages: [{}] } as unknown as Hooks;
    const edge = { ...EDGE, token: undefined, folder: undefined };
    expect(edgeFaults({ edge, cluster: { redisUrl: 'redis://127.0.0.1' } }, hooks)).toEqual([
      'EDGE_UPSTREAM is set: set EDGE_TOKEN or EDGE_TOKEN_FILE, not both',
      'EDGE_UPSTREAM is set: EDGE_DIR must be set too',
      'EDGE_UPSTREAM and REDIS_URL cannot both be set: an edge is one node',
      'EDGE_UPSTREAM is set: the hooks file cannot have messages',
    ]);
    expect(edgeFaults({ edge: { ...EDGE, tokenFile: '/run/token' }, ...ALONE }, undefined)).toEqual([
      'EDGE_UPSTREAM is set: set EDGE_TOKEN or EDGE_TOKEN_FILE, not both',
    ]);
  });
});
