import { setTimeout as pause } from 'node:timers/promises';
import type { PublishReply } from '@gatehouse/protocol';
import { WebSocket } from 'ws';
import { createClient, GatehouseError, type Client } from '../../../packages/client/src/index.js';
import { eventually } from '../../support/eventually.js';
import { TcpProxy } from '../../support/tcp-proxy.js';
import { mintToken } from '../../support/test-server.js';
import { ClientReader } from './client-reader.js';
import { Ledger, type Fault } from './ledger.js';
import type { Nodes } from './nodes.js';

/** Few: `npm run test:scenarios` asks for 200 at 200 publications a second. */
export const CLIENT_LOAD = {
  clients: Number(process.env.CLIENT_COUNT ?? 18),
  /** Publications a second of all clients together. */
  rate: Number(process.env.CLIENT_RATE ?? 15),
  /** The share of every random delay: a test need not wait as long as users do. */
  patience: Number(process.env.CLIENT_PATIENCE ?? 0.1),
};

const CLIENTS_PER_CHANNEL = 8;
const FRONTS = 3;
const TURN_MS = 10;
/** A token of a part of the clients expires this soon: they renew it again and again. */
const SHORT_LIFE_MS = 7_000;
/** What a publish may end with while the server is away. Nothing else may be seen. */
const AWAY = new Set(['NOT_CONNECTED', 'NO_ANSWER', 'SERVER_BUSY']);
const HANDLED = new Set(['LOAD_FAILED', 'TOKEN_FAILED']);

interface User {
  readonly client: Client;
  readonly reader: ClientReader;
  readonly hasShortTokens: boolean;
  /** Its load balancer. */
  readonly front: number;
}

export interface ClientOutcome {
  readonly faults: readonly Fault[];
  /** Why readers loaded again, and which gaps they were told of. */
  readonly losses: readonly string[];
  readonly line: string;
}

/** Clients of the library that publish and read, behind load balancers that know which nodes are up. */
export class ClientLoad implements AsyncDisposable {
  readonly users: readonly User[];
  /** Whether the service that issues tokens is down. */
  areTokensAway = false;
  private readonly ledgers: readonly Ledger[];
  private readonly underWay = new Set<Promise<void>>();
  private readonly startedAt = performance.now();
  private acknowledged = 0;
  private refused = 0;
  private connections = 0;
  private count = 0;
  private lastId = 0;
  private isOver = false;
  private publishing: Promise<void> | undefined;

  private constructor(
    readonly fronts: readonly TcpProxy[],
    name: string,
  ) {
    const channels = Math.ceil(CLIENT_LOAD.clients / CLIENTS_PER_CHANNEL);
    this.ledgers = Array.from({ length: channels }, (_, index) => new Ledger(`room:${name}/${index}`));
    this.users = Array.from({ length: CLIENT_LOAD.clients }, (_, index) => this.userAt(index));
  }

  /** Resolves once everyone reads, and publications flow. */
  static async start(nodes: Nodes, name: string): Promise<ClientLoad> {
    const anyNode = (): number | undefined => nodes.ports[Math.floor(Math.random() * nodes.ports.length)];
    const fronts = await Promise.all(Array.from({ length: FRONTS }, () => TcpProxy.start(anyNode)));
    const load = new ClientLoad(fronts, name);
    try {
      await eventually('everyone reads', () => load.users.every(({ reader }) => reader.isLive));
      // A channel without publications may be loaded twice: nothing keeps its position until somebody subscribes.
      await Promise.all(load.ledgers.map((ledger, index) => load.publishLast(ledger, index)));
      for (const { reader } of load.users) reader.losses.length = 0;
      load.publishing = load.publish();
      await load.flows();
    } catch (error) {
      await load[Symbol.asyncDispose]();
      throw error;
    }
    return load;
  }

  /** Resolves once every client is connected, and publications flow. */
  async flows(): Promise<void> {
    await eventually('everyone is back', () => this.users.every(({ client }) => client.getSnapshot().state === 'open'));
    const goal = this.acknowledged + this.users.length;
    await eventually('publications flow', () => this.acknowledged > goal);
  }

  /** Stops publishing, lets everyone come to the top, and tells what was wrong. */
  async finish(): Promise<ClientOutcome> {
    this.isOver = true;
    await this.publishing;
    const seconds = (performance.now() - this.startedAt) / 1_000;
    await Promise.all(this.underWay);
    await eventually('everyone is live', () => this.users.every(({ reader }) => reader.isLive));
    await Promise.all(this.ledgers.map((ledger, index) => this.publishLast(ledger, index)));
    for (const [index, { reader }] of this.users.entries()) reader.verify(this.ledgerAt(index).allAcknowledged);
    const losses = this.users.flatMap(({ reader }) => reader.losses);
    const line =
      `${this.users.length} clients: ${(this.acknowledged / seconds).toFixed(0)} publications a second for ` +
      `${seconds.toFixed(0)} s, ${this.refused} refused, ${this.connections} connections, ${losses.length} losses told\n`;
    return { faults: this.ledgers.flatMap(({ faults }) => faults), losses, line };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.isOver = true;
    await this.publishing;
    for (const { client } of this.users) client.close();
    await Promise.all(this.underWay);
    await Promise.all(this.fronts.map((front) => front[Symbol.asyncDispose]()));
  }

  private userAt(index: number): User {
    const name = `client-${index}`;
    const front = index % FRONTS;
    const hasShortTokens = Math.floor(index / FRONTS) % 3 === 0;
    const ledger = this.ledgerAt(index);
    const client = createClient({
      url: `ws://127.0.0.1:${this.fronts[front]?.port}/ws`,
      WebSocket,
      random: () => CLIENT_LOAD.patience * Math.random(),
      token: () => this.tokenFor(name, hasShortTokens),
    });
    client.on('error', ({ code, message }) => {
      if (!HANDLED.has(code)) ledger.fault('unannounced', `${name}: ${code} ${message}`);
    });
    client.subscribe(() => (this.connections += client.getSnapshot().state === 'open' ? 1 : 0));
    const reader = new ClientReader(name, client, ledger, index % 4 !== 3);
    return { client, reader, hasShortTokens, front };
  }

  private tokenFor(user: string, isShort: boolean): string {
    if (this.areTokensAway) throw new Error('no tokens');
    const expires = isShort && { exp: Math.ceil((Date.now() + SHORT_LIFE_MS) / 1_000) };
    return mintToken({ sub: user, jti: `${Math.random()}`, ...expires });
  }

  private ledgerAt(index: number): Ledger {
    return this.ledgers[index % this.ledgers.length] as Ledger;
  }

  /** At a fixed rate, each client in turn, also while it is not connected. */
  private async publish(): Promise<void> {
    let due = 0;
    for (let last = performance.now(); !this.isOver; await pause(TURN_MS)) {
      const now = performance.now();
      due += Math.min((CLIENT_LOAD.rate * (now - last)) / 1_000, CLIENT_LOAD.rate / 10);
      for (last = now; due >= 1; due -= 1) {
        this.count += 1;
        const published = this.publishOne(this.count % this.users.length);
        this.underWay.add(published);
        void published.finally(() => this.underWay.delete(published));
      }
    }
  }

  private async publishOne(index: number): Promise<void> {
    const ledger = this.ledgerAt(index);
    this.lastId += 1;
    const id = this.lastId;
    ledger.sent(id);
    try {
      const reply: PublishReply = await (this.users[index] as User).reader.channel.publish({ id });
      ledger.acknowledged({ id, epoch: String(reply.epoch), seq: Number(reply.seq), isFirstTry: false });
      this.acknowledged += 1;
    } catch (error) {
      this.refused += 1;
      const code = error instanceof GatehouseError ? error.code : String(error);
      if (!AWAY.has(code) && !(code === 'CLOSED' && this.isOver)) ledger.fault('unannounced', `publish: ${code}`);
    }
  }

  /** Who knows the last publication of a channel knows all of them. */
  private async publishLast(ledger: Ledger, index: number): Promise<void> {
    const before = ledger.allAcknowledged.length;
    while (ledger.allAcknowledged.length === before) await this.publishOne(index);
    const last = ledger.allAcknowledged.at(-1) as number;
    const readers = this.users.filter((_, user) => this.ledgerAt(user) === ledger).map(({ reader }) => reader);
    await eventually('everyone comes to the top', () => readers.every((reader) => reader.knows(last)));
  }
}
