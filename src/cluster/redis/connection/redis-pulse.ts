import { once } from 'node:events';
import calculateSlot from 'cluster-key-slot';
import { Cluster, type Redis } from 'ioredis';
import { faultIn, isUnusable } from './redis-faults.js';

/** Among this many names there is one in a slot of each master, however many masters there are. */
const MAX_NAMES = 100_000;

/** The words of Redis. */
const LOADING = 'LOADING Redis is loading the dataset in memory';

interface RedisPulseOptions {
  /** The name of a key with this tag. */
  readonly keyOf: (tag: string) => string;
  readonly answered: (milliseconds: number) => void;
  /** A server refused the probe, or did not answer it. */
  readonly refused: (reason: string) => void;
  /** Every server accepted the probe that was sent then, on the performance.now() clock. */
  readonly proven: (sentAt: number) => void;
}

/** Asks the servers that take commands whether they answer, and whether they accept writes. */
export class RedisPulse {
  /** By the address of a master, the key that it is probed with. */
  private readonly keys = new Map<string, string>();

  constructor(
    private readonly client: Redis | Cluster,
    private readonly options: RedisPulseOptions,
  ) {}

  /** @throws Error if no server answers, or if there is only one and it cannot be used */
  async feel(isFirst: boolean): Promise<void> {
    if (isFirst) await Promise.all([this.demandLoaded(), ...this.masters().map(reached)]);
    await Promise.all([this.anyAnswer(), this.probe()]);
  }

  /** In a cluster one master is enough. Commands for the others fail on their own. */
  private async anyAnswer(): Promise<void> {
    const masters = this.masters();
    if (masters.length === 0) return this.ping(this.client);
    const answers = masters.map((master) => this.ping(master));
    await Promise.any(answers).catch(({ errors }: AggregateError) => {
      throw errors[0];
    });
  }

  /** While Redis loads its data, ioredis holds the connection back and answers no other question than this. */
  private async demandLoaded(): Promise<void> {
    const { client } = this;
    if (client instanceof Cluster || client.status !== 'connect') return;
    if (/^loading:1/m.test(await client.info('persistence'))) throw new Error(LOADING);
  }

  private async ping(server: Pick<Redis, 'ping'>): Promise<void> {
    const sentAt = performance.now();
    try {
      await server.ping();
    } catch (error) {
      const fault = faultIn((error as Error).message);
      // A Redis that cannot save refuses even a ping. This is an answer.
      if (fault === undefined || isUnusable(fault)) throw error;
    }
    this.options.answered(performance.now() - sentAt);
  }

  private async probe(): Promise<void> {
    const sentAt = performance.now();
    const results = await Promise.allSettled(this.probes());
    const reasons = results.flatMap((result) =>
      result.status === 'rejected' ? [(result.reason as Error).message] : [],
    );
    if (reasons.length === 0) return this.options.proven(sentAt);
    for (const reason of reasons) this.options.refused(reason);
    const [unusable] = reasons.filter((reason) => isUnusable(faultIn(reason)));
    if (unusable !== undefined && !(this.client instanceof Cluster)) throw new Error(unusable);
  }

  private probes(): readonly Promise<unknown>[] {
    const { client } = this;
    if (!(client instanceof Cluster)) return [this.write(this.options.keyOf('pulse'))];
    const servers = new Set(client.slots.flatMap((slot) => slot?.[0] ?? []));
    return [...servers].flatMap((server) => {
      const key = this.keyAt(client, server);
      return key === undefined ? [] : [this.write(key)];
    });
  }

  /** Setting an empty range writes nothing, but is refused by a server that is read-only, full, or cannot save. */
  private write(key: string): Promise<unknown> {
    return this.client.setrange(key, 0, '');
  }

  private keyAt({ slots }: Cluster, server: string): string | undefined {
    const isThere = (key: string): boolean => slots[calculateSlot(key)]?.[0] === server;
    const known = this.keys.get(server);
    if (known !== undefined && isThere(known)) return known;
    for (let number = 0; number < MAX_NAMES; number += 1) {
      const key = this.options.keyOf(`pulse${number}`);
      if (!isThere(key)) continue;
      this.keys.set(server, key);
      return key;
    }
    return undefined;
  }

  /** Empty for a single Redis. */
  private masters(): Redis[] {
    return this.client instanceof Cluster ? this.client.nodes('master') : [];
  }
}

/**
 * Resolves when a server of the cluster can be asked, or cannot be reached. While a connection is being opened, it
 * refuses commands.
 */
async function reached(server: Redis): Promise<void> {
  if (server.status !== 'wait' && server.status !== 'connecting' && server.status !== 'connect') return;
  const done = new AbortController();
  const ends = ['ready', 'close'].map((event) => once(server, event, { signal: done.signal }));
  if (server.status === 'wait') void server.connect().catch(() => {});
  await Promise.race(ends).catch(() => {});
  done.abort();
}
