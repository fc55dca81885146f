import { setTimeout as pause } from 'node:timers/promises';
import { eventually } from '../../support/eventually.js';
import { Ledger, type Fault } from './ledger.js';
import type { Nodes } from './nodes.js';
import { Publisher } from './publisher.js';
import { Subscriber } from './subscriber.js';

export interface LoadSize {
  /** Publications a second, in all channels together. */
  readonly rate: number;
  readonly subscribers: number;
  readonly channels: number;
}

function fromEnvironment(name: string, usual: number): number {
  return Number(process.env[name] ?? usual);
}

/** Few: what counts is the order of what happens. `npm run test:scenarios` asks for many. */
export const LOAD: LoadSize = {
  rate: fromEnvironment('SCENARIO_RATE', 40),
  subscribers: fromEnvironment('SCENARIO_SUBSCRIBERS', 30),
  channels: fromEnvironment('SCENARIO_CHANNELS', 10),
};

/** Many, since a connection's publishes are made one after the other: each waits for Redis. */
const PUBLISHERS = fromEnvironment('SCENARIO_PUBLISHERS', 12);
/** So many in a row go to one channel, through different nodes. */
const AT_ONCE = 4;
/** Long enough for so many, so that the nodes publish them at the same time. */
const TURN_MS = Math.max(10, (1_000 * AT_ONCE) / LOAD.rate);
/** The publication that ends a channel is of a publisher of its own. */
const LAST_PUBLISHER = PUBLISHERS;

export interface Outcome {
  readonly faults: readonly Fault[];
  /** How many gaps all subscribers were told of. */
  readonly gaps: number;
  readonly reconnects: number;
  readonly line: string;
}

/** Publishers and subscribers in channels of their own, spread over the nodes, and a ledger of each channel. */
export class Load implements AsyncDisposable {
  readonly ledgers: readonly Ledger[];
  readonly subscribers: readonly Subscriber[];
  readonly publishers: readonly Publisher[];
  private readonly watching: NodeJS.Timeout;
  private startedAt = 0;
  private publishing: Promise<void> | undefined;
  private isOver = false;
  private next = 0;

  private constructor(
    nodes: Nodes,
    readonly name: string,
    readonly size: LoadSize,
  ) {
    const ports = (): readonly number[] => nodes.ports;
    this.ledgers = Array.from({ length: size.channels }, (_, index) => new Ledger(`feed:${name}/${index}`));
    this.subscribers = Array.from({ length: size.subscribers }, (_, index) => {
      const user = `subscriber-${index}`;
      const ledger = this.ledgerFor(index);
      // Not in step with the channels: every channel has subscribers at every node, patient and impatient ones.
      const [first, isImpatient] = [index % nodes.count, Math.floor(index / 3) % 2 === 0];
      return new Subscriber(ledger.channel, ledger.witness(user), { user, ports, first, isImpatient });
    });
    this.publishers = Array.from({ length: PUBLISHERS + 1 }, (_, index) => {
      const isImpatient = index % 2 === 0;
      return new Publisher(index, { user: `publisher-${index}`, ports, first: index % nodes.count, isImpatient });
    });
    this.watching = setInterval(() => this.watch(), 250);
  }

  /** Resolves once everyone has subscribed, and publications flow. */
  static async start(nodes: Nodes, name: string, size = LOAD): Promise<Load> {
    const load = new Load(nodes, name, size);
    try {
      await Promise.all(load.subscribers.map(({ ready }) => ready));
      load.startedAt = performance.now();
      load.publishing = load.publish();
      await eventually('publications flow', () => load.acknowledged > size.rate / 2);
    } catch (error) {
      await load[Symbol.asyncDispose]();
      throw error;
    }
    return load;
  }

  /** Publications answered so far. */
  get acknowledged(): number {
    return sum(this.publishers, ({ acknowledged }) => acknowledged);
  }

  get refused(): number {
    return sum(this.publishers, ({ refused }) => refused);
  }

  /** Resolves once publications flow again: so many more are acknowledged. */
  async flows(count = this.size.rate / 2): Promise<void> {
    const goal = this.acknowledged + count;
    await eventually('publications flow again', () => this.acknowledged > goal);
  }

  /** As `flows`, with more than one in each channel. */
  flowsEverywhere(): Promise<void> {
    return this.flows(PUBLISHERS + 2 * AT_ONCE * this.ledgers.length);
  }

  /** Stops publishing, lets everyone come to the top, and tells what was wrong. */
  async finish(): Promise<Outcome> {
    const seconds = (performance.now() - this.startedAt) / 1_000;
    const { acknowledged } = this;
    this.isOver = true;
    await this.publishing;
    await eventually('all is acknowledged', () => this.publishers.every(({ isIdle }) => isIdle));
    await this.publishLast();
    const faults = this.ledgers.flatMap((ledger) => ledger.verify());
    const gaps = sum(this.subscribers, ({ witness }) => witness.gaps.length);
    const reconnects = sum(this.subscribers, ({ line }) => line.returns.length);
    const line = this.describe(acknowledged / seconds, gaps, reconnects);
    return { faults, gaps, reconnects, line };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.isOver = true;
    clearInterval(this.watching);
    await this.publishing;
    await Promise.all([...this.subscribers, ...this.publishers].map((client) => client[Symbol.asyncDispose]()));
  }

  /** At a fixed rate; what cannot be published in its turn is left out, not made up for. */
  private async publish(): Promise<void> {
    let due = 0;
    for (let last = performance.now(); !this.isOver; await pause(TURN_MS)) {
      const now = performance.now();
      due += Math.min((this.size.rate * (now - last)) / 1_000, this.size.rate / 10);
      for (last = now; due >= 1; due -= 1) {
        this.next += 1;
        // One further in each round, so that each publishes in every channel.
        const publisher = (this.next + Math.floor(this.next / PUBLISHERS)) % PUBLISHERS;
        this.publishers[publisher]?.publish(this.ledgerFor(Math.floor(this.next / AT_ONCE)));
      }
    }
  }

  /** A last publication in each channel: whoever has seen it has seen all. */
  private async publishLast(): Promise<void> {
    const publisher = this.publishers[LAST_PUBLISHER];
    for (const ledger of this.ledgers) publisher?.publish(ledger);
    await eventually('the last publications are acknowledged', () => publisher?.isIdle === true);
    const stuck = (): number => this.ledgers.reduce((total, ledger) => total + ledger.behind.length, 0);
    try {
      await eventually('everyone comes to the top', () => stuck() === 0);
    } catch {
      // What they have not seen is found out, and told, by verify.
      process.stdout.write(`${this.name}: ${stuck()} subscribers did not come to the top of their channels\n`);
    }
  }

  private ledgerFor(index: number): Ledger {
    return this.ledgers[index % this.ledgers.length] as Ledger;
  }

  private watch(): void {
    const now = performance.now();
    for (const { line } of [...this.subscribers, ...this.publishers]) line.watch(now);
  }

  private describe(rate: number, gaps: number, reconnects: number): string {
    const { size, subscribers, publishers } = this;
    const retries = sum(publishers, (publisher) => publisher.retries);
    const delivered = sum(subscribers, (subscriber) => subscriber.delivered);
    return (
      `${this.name}: ${rate.toFixed(0)} publications a second acknowledged (asked for: ${size.rate}), ${delivered} deliveries ` +
      `to ${size.subscribers} subscribers in ${size.channels} channels, ${reconnects} reconnects, ` +
      `${this.refused} refused and ${retries} repeated publishes, ${gaps} gaps\n`
    );
  }
}

function sum<T>(items: readonly T[], value: (item: T) => number): number {
  return items.reduce((total, item) => total + value(item), 0);
}
