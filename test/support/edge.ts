import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Environment } from '../../config/settings.js';
import type { StartOptions } from '../../src/server.js';
import { EdgeEvents, type EdgeOutcome } from '../../src/edge/edge-events.js';
import { Upstream } from '../../src/edge/link/upstream.js';
import { Channels } from '../../src/channels/channels.js';
import type { Channel } from '../../src/channels/channel.js';
import { Outbox } from '../../src/edge/store/outbox.js';
import { eventually } from './eventually.js';
import { namespacesFile } from './namespaces-file.js';
import { temporaryFolder, type TemporaryFolder } from './temporary-folder.js';
import { mintToken, startTestServer, type TestServer } from './test-server.js';

export const EDGE_CLAIMS = { sub: 'line-1', roles: ['EDGE', 'SERVICE'] };

/** The channels of edge and centre in tests. */
const NAMESPACES = {
  telemetry: 'subscribe: signed_in, publish: signed_in, history: { size: 100000, age: 1h }',
  edge: 'subscribe: signed_in, publish: [EDGE], history: { size: 100000, age: 1h }',
  secret: 'subscribe: signed_in, publish: nobody, history: { size: 100, age: 1h }',
  feed: 'subscribe: signed_in, publish: signed_in, history: { size: 50, age: 1h }',
};

export const EDGE_FILE = `
local: [alarm.local]
forward:
  - { types: ['alarm.*'], channels: ['telemetry:*', 'secret:*', 'missing:*'] }
through: ['order.*', echo.through]
`;

/** A server that takes what edges forward. */
export async function startCentre(
  environment: Environment = {},
  features: StartOptions['features'] = [],
): Promise<TestServer> {
  using namespaces = namespacesFile(NAMESPACES);
  const settings = { EDGE_CENTRE: 'on', SERVER_ID: 'centre', ...namespaces.environment, ...environment };
  return await startTestServer(settings, features);
}

export interface EdgeServer extends TestServer {
  readonly outbox: Outbox;
  readonly upstream: Upstream;
  /** How many messages had each outcome. */
  readonly outcomes: Partial<Record<EdgeOutcome, number>>;
  readonly isUp: () => Promise<void>;
  readonly isEmpty: () => Promise<void>;
}

export interface EdgeOptions {
  readonly folder: TemporaryFolder;
  readonly upstream: string;
  readonly file?: string;
  readonly environment?: Environment;
}

/** An edge node in this process, with its store in a folder that survives it. */
export async function startEdge({ folder, upstream, file = EDGE_FILE, environment }: EdgeOptions): Promise<EdgeServer> {
  using namespaces = namespacesFile({ ...NAMESPACES, secret: 'subscribe: signed_in, publish: signed_in' });
  const path = join(folder.path, 'edge.yaml');
  await writeFile(path, file);
  const server = await startTestServer({
    EDGE_UPSTREAM: upstream,
    EDGE_TOKEN: mintToken(EDGE_CLAIMS),
    EDGE_DIR: folder.path,
    EDGE_FILE: path,
    SERVER_ID: 'edge',
    ...namespaces.environment,
    ...environment,
  });
  const outcomes: Partial<Record<EdgeOutcome, number>> = {};
  server.app.get(EdgeEvents, { strict: false }).on('settled', (outcome, _rule, messages) => {
    outcomes[outcome] = (outcomes[outcome] ?? 0) + messages;
  });
  const outbox = server.app.get(Outbox, { strict: false });
  const link = server.app.get(Upstream, { strict: false });
  return {
    ...server,
    outbox,
    upstream: link,
    outcomes,
    isUp: () => eventually('the centre takes messages', () => link.isUp),
    isEmpty: () =>
      eventually('the outbox is empty', () => [...outbox.streams.values()].every(({ isEmpty }) => isEmpty)),
  };
}

export function freshFolder(): Promise<TemporaryFolder> {
  return temporaryFolder();
}

/** What a channel of a server has, oldest first. */
export async function published(server: TestServer, channel: string): Promise<unknown[]> {
  const channels = server.app.get(Channels, { strict: false });
  const named: Channel = channels.named(channel);
  return (await channels.history(named)).publications.map(({ data }) => data);
}
