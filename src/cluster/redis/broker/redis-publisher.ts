import type { ChannelName, OutboxMark, Published, PublishOptions } from '../../ports/broker.js';
import { encodePubsubMessage } from './pubsub-message.js';
import { newEpoch } from '../../ports/epoch.js';
import { Outbox, type Outgoing } from '../../bus/outbox.js';
import { RedisScript, type RedisArgument } from '../connection/redis-script.js';
import { keysOf, MEMORY_MS, positionsIn } from './redis-entries.js';
import type { Acknowledgements } from './acknowledgements.js';
import { ReplicatedWrites } from './replicated-writes.js';
import type { ReplicatedRun } from './waiting-connection.js';
import { GatehouseError } from '../../../protocol/gatehouse-error.js';
import { busy, type RedisLink } from '../connection/redis-link.js';

const PUBLISH_KEPT = RedisScript.load('publish-kept');
const PUBLISH_UNKEPT = RedisScript.load('publish-unkept');

/** Publications, and bytes, that may wait for Redis. From then on, more are refused. */
const MAX_WAITING = 20_000;
const MAX_WAITING_BYTES = 67_108_864;

/** Undefined: what comes before it in its outbox is missing. */
type Result = Published | undefined;
type Limits = NonNullable<PublishOptions['history']>;

/** Sends publications to Redis: those of one channel and event-loop turn in one command, in order. */
export class RedisPublisher {
  private readonly outboxes = new Map<ChannelName, Outbox>();
  private readonly due = new Set<ChannelName>();
  private waiting = 0;
  private waitingBytes = 0;
  private readonly replicated: ReplicatedWrites;

  constructor(
    private readonly link: RedisLink,
    private readonly acknowledgements: Acknowledgements,
  ) {
    this.replicated = new ReplicatedWrites(link);
  }

  /**
   * @throws GatehouseError SERVER_BUSY if Redis cannot be reached, or too much waits for it. NOT_REPLICATED if it was
   *   published but too few replicas have it in time
   */
  async publish(channel: ChannelName, { body, options }: Pick<Outgoing, 'body' | 'options'>): Promise<Published> {
    // Whatever the size of this one: a small publication must not overtake a large one that was refused before it.
    if (this.waiting >= MAX_WAITING || this.waitingBytes >= MAX_WAITING_BYTES) throw busy();
    this.waiting += 1;
    this.waitingBytes += body.length;
    try {
      return await new Promise<Published>((resolve, reject) => {
        this.outboxOf(channel).add({ body, options, resolve, reject });
        this.schedule(channel);
      });
    } finally {
      this.waiting -= 1;
      this.waitingBytes -= body.length;
    }
  }

  /**
   * Runs a script that writes. With `replicas`, it is answered once as many have what it wrote.
   *
   * @throws GatehouseError SERVER_BUSY or NOT_REPLICATED
   */
  write(run: ReplicatedRun): Promise<unknown> {
    return run.replicas > 0 ? this.replicated.run(run) : this.link.run(run.script, run.keys, run.parameters);
  }

  get backlog(): { readonly publications: number; readonly publicationBytes: number } {
    return { publications: this.waiting, publicationBytes: this.waitingBytes };
  }

  /** Commands may go to other servers from now on. */
  checkServers(): void {
    this.replicated.checkServers();
  }

  /** Everything that waits is rejected. */
  close(): void {
    this.replicated.close();
    for (const outbox of this.outboxes.values()) {
      while (!outbox.isEmpty) for (const { reject } of outbox.take()) reject(busy());
    }
  }

  private outboxOf(channel: ChannelName): Outbox {
    const outbox = this.outboxes.get(channel) ?? new Outbox();
    this.outboxes.set(channel, outbox);
    return outbox;
  }

  /** Publications of one event-loop turn go in one command. */
  private schedule(channel: ChannelName): void {
    this.due.add(channel);
    if (this.due.size === 1) setImmediate(() => this.sendDue());
  }

  private sendDue(): void {
    const due = [...this.due];
    this.due.clear();
    for (const channel of due) void this.sendAll(channel);
  }

  private async sendAll(channel: ChannelName): Promise<void> {
    const outbox = this.outboxOf(channel);
    if (outbox.isUnderWay) return;
    outbox.isUnderWay = true;
    while (!outbox.isEmpty) await this.send(channel, outbox.take());
    this.outboxes.delete(channel);
  }

  private async send(channel: ChannelName, batch: readonly Outgoing[]): Promise<void> {
    try {
      const limits = batch.at(-1)?.options.history;
      const published = limits ? await this.sendKept(channel, batch, limits) : await this.sendUnkept(channel, batch);
      batch.forEach(({ resolve, reject }, index) => {
        const result = published[index];
        if (result === undefined) reject(busy());
        else resolve(result);
      });
    } catch (error) {
      const isUnreplicated = error instanceof GatehouseError && error.code === 'NOT_REPLICATED';
      if (isUnreplicated) this.link.emit('unreplicated', batch.length);
      for (const { reject } of batch) reject(error as Error);
    }
  }

  private async sendKept(
    channel: ChannelName,
    batch: readonly Outgoing[],
    { size, ageMs }: Limits,
  ): Promise<readonly Result[]> {
    const { keys: onceKeys, items } = this.itemsOf(channel, batch, 2);
    const lifeMs = Math.max(ageMs, MEMORY_MS);
    const parameters = [
      newEpoch(),
      size,
      ageMs,
      lifeMs,
      MEMORY_MS,
      this.link.publishCommand,
      this.link.key(channel),
      this.acknowledgements.epochOf(channel),
      ...items,
    ];
    const keys = [...keysOf(this.link, channel), ...onceKeys];
    const replicas = batch.at(-1)?.options.replicas ?? 0;
    const reply = await this.write({ script: PUBLISH_KEPT, keys, parameters, replicas });
    const [epoch = '', formers = '', ...results] = (reply as Buffer[]).map(String);
    const seq = Number(results.findLast((result) => !result.includes(' ')) ?? 0);
    if (seq > 0) {
      const changed = formers === '' ? undefined : positionsIn(formers);
      this.acknowledgements.note(channel, { position: { epoch, seq }, formers: changed, lifeMs });
    }
    return results.map((result) => publishedAs(result, epoch));
  }

  private async sendUnkept(channel: ChannelName, batch: readonly Outgoing[]): Promise<readonly Result[]> {
    const name = this.link.key(channel);
    if (batch.every(({ options: { idempotencyKey, mark } }) => idempotencyKey === undefined && mark === undefined)) {
      const message = encodePubsubMessage(
        Date.now(),
        batch.map(({ body }) => body),
      );
      const { client } = this.link;
      const isSharded = this.link.publishCommand === 'SPUBLISH';
      await this.link.attempt(() => (isSharded ? client.spublish(name, message) : client.publish(name, message)));
      return batch.map(() => ({ position: undefined, isRepeat: false }));
    }
    const { keys, items } = this.itemsOf(channel, batch, 0);
    const parameters = [Date.now(), MEMORY_MS, this.link.publishCommand, name, ...items];
    const results = (await this.link.run(PUBLISH_UNKEPT, keys, parameters)) as number[];
    return results.map((result) => (result < 0 ? undefined : { position: undefined, isRepeat: result === 0 }));
  }

  /** The Redis keys of idempotency keys and marks, then body and key index, or place, of each publication. */
  private itemsOf(channel: ChannelName, batch: readonly Outgoing[], otherKeys: number) {
    const keys: string[] = [];
    const items: RedisArgument[] = [];
    const indexOf = (key: string): number => otherKeys + keys.push(this.link.key(channel, key));
    const marks = new Map<string, number>();
    for (const { body, options } of batch) {
      const { idempotencyKey, mark } = options;
      const once = idempotencyKey === undefined ? 0 : indexOf(`once:${idempotencyKey}`);
      if (mark === undefined) {
        items.push(body, once);
        continue;
      }
      // One index for each mark: the script reads and writes it once.
      const at = marks.get(mark.edge) ?? indexOf(`edge:${mark.edge}`);
      marks.set(mark.edge, at);
      items.push(body, placeIn(mark, { once, at }));
    }
    return { keys, items };
  }
}

function placeIn({ run, seq, after }: OutboxMark, { at, once }: Readonly<Record<'at' | 'once', number>>): string {
  return `${at} ${once} ${run} ${seq} ${after}`;
}

/** @param result a seq of the epoch, the `epoch seq` of the publish that it repeats, or `gap 0` */
function publishedAs(result: string, epoch: string): Result {
  const [former = '', seq] = result.split(' ');
  if (former === 'gap') return undefined;
  if (seq === undefined) return { position: { epoch, seq: Number(result) }, isRepeat: false };
  return { position: { epoch: former, seq: Number(seq) }, isRepeat: true };
}
