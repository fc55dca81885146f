import { BrokerNodeBus } from '../bus/broker-node-bus.js';
import type { ClusterSettings } from '../cluster-settings.js';
import { BANS, type BanStore } from '../ports/ban-store.js';
import type { ClusterEngine } from '../ports/cluster-engine.js';
import { ClusterEvents } from '../ports/cluster-events.js';
import { ConnectionDirectory } from '../ports/connection-directory.js';
import { lifeOfIds } from '../ports/replay-store.js';
import { REVOCATIONS, type RevocationStore } from '../ports/revocation-store.js';
import { RedisBroker } from './broker/redis-broker.js';
import type { RedisLink } from './connection/redis-link.js';
import { RedisSharedCounts } from './counts/redis-shared-counts.js';
import { RedisAnswerStore } from './lists/redis-answer-store.js';
import { RedisRecordStore } from './lists/redis-record-store.js';
import { RedisPresenceStore } from './presence/redis-presence-store.js';
import { RedisNodeRegistry } from './registry/redis-node-registry.js';
import { RedisStateStore } from './state/redis-state-store.js';

/** Everything that several nodes share, over one link to Redis. */
export class RedisEngine implements ClusterEngine {
  readonly answers: RedisAnswerStore;
  readonly bans: BanStore;
  readonly broker: RedisBroker;
  readonly bus: BrokerNodeBus;
  readonly counts: RedisSharedCounts;
  readonly directory: ConnectionDirectory;
  readonly events = new ClusterEvents();
  readonly presence: RedisPresenceStore;
  readonly registry: RedisNodeRegistry;
  readonly replays: RedisAnswerStore;
  readonly revocations: RevocationStore;
  readonly state: RedisStateStore;

  constructor(
    readonly link: RedisLink,
    { serverId, replay }: Omit<ClusterSettings, 'redisUrl'>,
  ) {
    const { events } = this;
    link.on('replaced', () => events.emit('rejoined'));
    const registry = new RedisNodeRegistry(link, serverId);
    const broker = new RedisBroker(link);
    this.registry = registry;
    this.broker = broker;
    this.state = new RedisStateStore(link, broker);
    this.answers = new RedisAnswerStore(link);
    this.replays = new RedisAnswerStore(link, { part: 'replay', lifeMs: lifeOfIds(replay.windowMs) });
    this.presence = new RedisPresenceStore(link, registry);
    this.counts = new RedisSharedCounts(link, registry);
    this.bans = new RedisRecordStore(link, BANS);
    this.revocations = new RedisRecordStore(link, REVOCATIONS);
    this.bus = new BrokerNodeBus({ broker, registry, events, isConnected: () => link.isUp });
    this.directory = new ConnectionDirectory({ link, registry, events });
  }

  get backlog(): Readonly<Record<string, number>> {
    return { commands: this.link.commandsUnderWay, ...this.broker.backlog, ...this.bus.backlog };
  }

  start(): Promise<void> {
    return this.bus.start();
  }

  async close(): Promise<void> {
    this.bus.close();
    this.presence.close();
    await this.counts.close();
    await this.broker.close();
    this.link.close();
  }
}
