import type { ChannelName, HistoryQuery, OutboxMark } from '../ports/broker.js';
import type { NodeReport } from '../ports/node-registry.js';
import type { CountKind } from '../ports/shared-counts.js';
import type { GivenOrder } from '../ports/given-order.js';
import type { ListRecord, RecordStore } from '../ports/record-store.js';
import type { AnswerStore } from '../ports/answer-store.js';
import type { WireLimits } from './host-broker.js';
import type { HostConnection } from './host-connection.js';
import type { StatedCount } from './host-counts.js';
import type { HostNode } from './host-node.js';
import type { EnterMode } from './host-presence.js';
import type { CellPlace } from '../ports/state-store.js';
import type { WireCommit } from './host-state.js';
import type { HostStores } from './host-stores.js';
import { busy, LongAnswer, REMOTE_VERSION, type Arguments } from './remote-messages.js';

interface Caller {
  readonly host: HostStores;
  readonly connection: HostConnection;
}

type Method<P extends Arguments> = (caller: Caller, ...parameters: P) => unknown;
type AnyMethod = (caller: Caller, parameters: Arguments) => unknown;

/** A worker of the same installation is at the other end: what it sends has the types that it was compiled with. */
function method<P extends Arguments>(action: Method<P>): AnyMethod {
  return (caller, parameters) => action(caller, ...(parameters as P));
}

/** @throws GatehouseError SERVER_BUSY if the worker's lease has ended. It takes another name with its next report */
function nodeOf({ node }: HostConnection): HostNode {
  if (node === undefined || node.isGivenUp) throw busy();
  return node;
}

const REGISTRY = {
  hello: method(({ host, connection }, version: number, incarnation: string) => {
    if (version !== REMOTE_VERSION) throw new Error(`A worker of another release: version ${version}`);
    if (incarnation !== '') connection.node = host.nodes.obtain(incarnation);
    return host.life;
  }),
  ping: method(() => null),
  report: method(({ host, connection }, report: NodeReport) => {
    const { node } = connection;
    if (node === undefined || node.isGivenUp || node.incarnation !== report.incarnation) return null;
    return host.nodes.take(node, report);
  }),
  withdraw: method(({ connection }) => {
    if (connection.node) connection.node.report = undefined;
  }),
};

const BROKER = {
  publish: method(
    (
      { host },
      channel: ChannelName,
      draft: Uint8Array,
      ...[limits, idempotencyKey, mark]: readonly [
        limits: WireLimits,
        idempotencyKey: string | undefined,
        mark: OutboxMark | undefined,
      ]
    ) => host.broker.publish(channel, draft, { limits, idempotencyKey, mark }),
  ),
  // All in this turn: the next call may leave one of them.
  subscribe: method(async ({ host, connection }, channels: readonly ChannelName[]) => {
    await Promise.all(channels.map((channel) => host.broker.subscribe(connection, channel)));
  }),
  unsubscribe: method(({ host, connection }, channel: ChannelName) => host.broker.unsubscribe(connection, channel)),
  history: method(({ host }, channel: ChannelName, query: HistoryQuery) => host.broker.history(channel, query)),
};

const STATE = {
  'state.commit': method(({ host }, channel: ChannelName, commit: WireCommit) => host.state.commit(channel, commit)),
  'state.get': method(({ host }, channel: ChannelName, key: string) => host.state.get(channel, key)),
  'state.page': method(({ host }, channel: ChannelName) => host.state.page(channel)),
  'state.cellPage': method(({ host }, place: CellPlace) => host.state.cellPage(place)),
  'state.expired': method(({ host }, channel: ChannelName, limit: number) => host.state.expired(channel, limit)),
};

const PRESENCE = {
  'presence.enter': method(
    ({ host, connection }, channel: ChannelName, sessionId: string, userId: string, mode: EnterMode) =>
      host.presence.enter(nodeOf(connection), channel, { sessionId, userId, mode }),
  ),
  'presence.leave': method(({ host }, channel: ChannelName, sessionId: string, userId: string, isRetry: boolean) =>
    host.presence.leave(channel, { sessionId, userId }, isRetry),
  ),
  'presence.members': method(({ host }, channel: ChannelName, after: number, limit: number) =>
    host.presence.members(channel, after, limit),
  ),
  /** Enters sessions that were in already. Returns the users that are back. */
  'presence.restate': method(
    ({ host, connection }, channel: ChannelName, presences: readonly (readonly [string, string])[]) => {
      const node = nodeOf(connection);
      return presences.flatMap(([sessionId, userId]) =>
        host.presence.enter(node, channel, { sessionId, userId, mode: 'kept' }) ? [userId] : [],
      );
    },
  ),
};

const COUNTS = {
  'counts.take': method(({ host, connection }, kind: CountKind, key: string, limit: number) =>
    host.counts.take(nodeOf(connection), [kind, key], limit),
  ),
  'counts.release': method(({ host, connection }, kind: CountKind, key: string) =>
    host.counts.release(nodeOf(connection), [kind, key]),
  ),
  'counts.state': method(({ host, connection }, ...stated: StatedCount) =>
    host.counts.state(nodeOf(connection), stated),
  ),
  'counts.restate': method(({ host, connection }, stated: readonly StatedCount[]) =>
    host.counts.stateAll(nodeOf(connection), stated),
  ),
  'counts.byNode': method(({ host }, kind: CountKind, key: string) => host.counts.byNode(kind, key)),
};

function answerMethods(name: string, storeOf: (host: HostStores) => AnswerStore): Record<string, AnyMethod> {
  return {
    [`${name}.claim`]: method(({ host }, key: string, fingerprint: string, owner: string | undefined) =>
      storeOf(host).claim(key, fingerprint, owner),
    ),
    // Texts of JSON, as in Redis: an answer is a value that JSON can represent.
    [`${name}.keep`]: method(({ host }, key: string, fingerprint: string, answer: string) =>
      storeOf(host).keep(key, fingerprint, answer),
    ),
    [`${name}.release`]: method(({ host }, key: string) => storeOf(host).release(key)),
  };
}

function recordMethods<R extends ListRecord>(
  name: string,
  storeOf: (host: HostStores) => RecordStore<R>,
): Record<string, AnyMethod> {
  return {
    [`${name}.put`]: method(({ host }, record: R) => storeOf(host).put(record)),
    [`${name}.restate`]: method(({ host }, records: readonly R[]) => storeOf(host).restate(records)),
    [`${name}.lift`]: method(({ host }, kind: R['kind'], key: string, given: GivenOrder) =>
      storeOf(host).lift(kind, key, given),
    ),
    [`${name}.list`]: method(async ({ host }) => new LongAnswer(await storeOf(host).list())),
  };
}

/** What a worker can ask of the engine. */
export const METHODS: Readonly<Record<string, AnyMethod>> = {
  ...REGISTRY,
  ...BROKER,
  ...STATE,
  ...PRESENCE,
  ...COUNTS,
  ...answerMethods('answers', ({ answers }) => answers),
  ...answerMethods('replays', ({ replays }) => replays),
  ...recordMethods('bans', ({ bans }) => bans),
  ...recordMethods('revocations', ({ revocations }) => revocations),
};
