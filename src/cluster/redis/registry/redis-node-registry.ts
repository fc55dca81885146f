import { Logger } from '@nestjs/common';
import { identityOf, newIdentity } from '../../ports/node-identity.js';
import {
  LEASE_MS,
  type NodeIdentity,
  type NodeRegistry,
  type NodeRegistryListener,
  type NodeReport,
} from '../../ports/node-registry.js';
import { reportOf } from '../../ports/node-report.js';
import type { RedisLink } from '../connection/redis-link.js';
import { RedisScript } from '../connection/redis-script.js';

const REPORT = RedisScript.load('registry-report');
const CLEARED = RedisScript.load('registry-cleared');

type OwnReport = Parameters<NodeRegistry['report']>[0];
/** Time, incarnations with a lease and their beats, their reports, and incarnations to clear. */
type Reply = 0 | [now: Buffer, live: Buffer[], reports: Buffer[], lost: Buffer[]];

export interface RegistryOptions {
  readonly leaseMs?: number;
}

/** The nodes of the cluster, in Redis under one hash tag. */
export class RedisNodeRegistry implements NodeRegistry {
  nodes: readonly NodeReport[] = [];
  /** Incarnations with a lease as of the last report, including those that withdrew or were replaced within a lease. */
  incarnations: ReadonlySet<string> = new Set();
  readonly leaseMs: number;
  private identity: NodeIdentity;
  private readonly logger = new Logger('NodeRegistry');
  private readonly listeners: NodeRegistryListener[] = [];
  private readonly keys: readonly string[];
  /** Lost incarnations that this node is clearing. */
  private readonly clearing = new Set<string>();
  /** Reports run one after the other. */
  private turn: Promise<unknown> = Promise.resolve();
  private firstBeat: number | undefined;
  private lastBeat = 0;
  private mayBeNew = true;
  private owesForgotten = false;
  private isReplaced = false;
  private hasWithdrawn = false;
  private hasWarned = false;

  constructor(
    private readonly link: RedisLink,
    nodeId: string,
    { leaseMs = LEASE_MS }: RegistryOptions = {},
  ) {
    this.leaseMs = leaseMs;
    this.identity = newIdentity(nodeId);
    this.keys = ['beats', 'reports', 'claims', 'clock'].map((part) => link.key('nodes', part));
    link.on('replaced', () => (this.isReplaced = true));
  }

  get self(): NodeIdentity {
    return this.identity;
  }

  listen(listener: NodeRegistryListener): void {
    this.listeners.push(listener);
  }

  report(report: OwnReport): Promise<void> {
    const made = this.turn.then(() => this.makeReport(report));
    this.turn = made.catch(() => {});
    return made;
  }

  /** The beat stays, so that the entries of this node are cleared after a lease. */
  async withdraw(): Promise<void> {
    this.hasWithdrawn = true;
    await this.turn;
    this.nodes = [];
    const [, reports = ''] = this.keys;
    await this.link.attempt(() => this.link.client.hdel(reports, this.self.incarnation));
  }

  /**
   * Incarnations with a lease.
   *
   * @throws GatehouseError SERVER_BUSY if Redis cannot be reached
   */
  async withLease(incarnations: ReadonlySet<string>): Promise<ReadonlySet<string>> {
    const isKnown = (name: string): boolean => name === this.self.incarnation || this.incarnations.has(name);
    const unknown = [...incarnations].filter((name) => !isKnown(name));
    if (unknown.length === 0) return incarnations;
    const [beats = ''] = this.keys;
    const scores = await this.link.attempt(() => this.link.client.zmscore(beats, ...unknown));
    // It began after the last report of this node.
    const young = unknown.filter((_name, index) => Number(scores[index] ?? -1) >= this.lastBeat);
    return new Set([...incarnations].filter((name) => isKnown(name) || young.includes(name)));
  }

  private async makeReport(report: OwnReport): Promise<void> {
    if (this.hasWithdrawn) return;
    // An older state of this node's own entries is cleared like that of a lost node.
    if (this.isReplaced) this.beginAnew();
    let reply = await this.send(report);
    if (reply === 0) {
      // Its name belongs to the node that clears it.
      this.beginAnew();
      reply = await this.send(report);
    }
    if (reply === 0) return;
    this.mayBeNew = false;
    this.take(reply);
    if (!this.owesForgotten) return;
    this.owesForgotten = false;
    for (const listener of this.listeners) listener.forgotten();
  }

  private beginAnew(): void {
    this.identity = newIdentity(this.identity.nodeId);
    this.isReplaced = false;
    this.mayBeNew = true;
    this.owesForgotten = true;
    this.firstBeat = undefined;
  }

  private async send(report: OwnReport): Promise<Reply> {
    const { incarnation } = this.self;
    const body = JSON.stringify({ ...report, ...this.self });
    const parameters = [incarnation, body, this.leaseMs, this.mayBeNew ? 1 : 0, ...this.clearing];
    return (await this.link.run(REPORT, this.keys, parameters)) as Reply;
  }

  private take([now, live, reports, lost]: Exclude<Reply, 0>): void {
    const beats = new Map<string, number>();
    for (let index = 0; index < live.length; index += 2) beats.set(String(live[index]), Number(live[index + 1]));
    this.incarnations = new Set(beats.keys());
    // Ordered by beat, so the newest incarnation of a node stays.
    const newest = new Map<string, NodeReport>();
    for (const [index, incarnation] of [...beats.keys()].entries()) {
      const text = String(reports[index] ?? '');
      const report = reportOf(text, incarnation);
      // A node that withdrew has no report.
      if (report === undefined && text !== '') this.link.emit('failed', `malformed report of node ${incarnation}`);
      if (report === undefined) continue;
      newest.delete(report.nodeId);
      newest.set(report.nodeId, report);
    }
    this.nodes = [...newest.values()];
    this.firstBeat ??= Number(now);
    this.lastBeat = Number(now);
    this.warnOfNamesake(beats);
    for (const incarnation of lost) void this.clearUpAfter(String(incarnation));
  }

  /**
   * An earlier incarnation of this node has not reported since this one began. Another node with the same SERVER_ID
   * goes on reporting.
   */
  private warnOfNamesake(beats: ReadonlyMap<string, number>): void {
    const { nodeId, incarnation } = this.self;
    const since = this.firstBeat ?? Infinity;
    const isNamesake = ([name, beat]: [string, number]): boolean =>
      name !== incarnation && identityOf(name).nodeId === nodeId && beat > since;
    if (this.hasWarned || ![...beats].some(isNamesake)) return;
    this.hasWarned = true;
    this.logger.warn({ msg: 'another node uses the same SERVER_ID', nodeId });
  }

  private async clearUpAfter(incarnation: string): Promise<void> {
    if (this.clearing.has(incarnation)) return;
    this.clearing.add(incarnation);
    const lost = identityOf(incarnation);
    try {
      await Promise.all(this.listeners.map(async (listener) => listener.lost(lost)));
      await this.link.run(CLEARED, this.keys.slice(0, 3), [incarnation]);
    } catch {
      // The claim expires, and the loss is reported again, here or on another node.
    } finally {
      this.clearing.delete(incarnation);
    }
  }
}
