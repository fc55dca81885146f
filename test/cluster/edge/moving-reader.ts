import { setTimeout as pause } from 'node:timers/promises';
import { connect, type Message, type TestClient } from '../../support/test-client.js';

interface Gap {
  readonly from: number | null;
  readonly to: number;
}

interface Subscribed {
  readonly epoch: string;
  readonly seq: number;
  readonly publications: readonly { readonly seq: number }[];
  readonly gap?: Gap;
}

interface Journey {
  readonly channel: string;
  /** The servers that are up at this moment. */
  readonly ports: () => readonly number[];
  readonly random: () => number;
}

/**
 * A client that reads one channel at whichever server is up, and goes on at another one, since its position. It accounts
 * for every seq: each is delivered once, or told as lost.
 */
export class MovingReader implements AsyncDisposable {
  /** What was wrong with the series of seqs. */
  readonly faults: string[] = [];
  received = 0;
  /** Seqs that were told as lost. */
  lost = 0;
  places = 0;
  private position: { readonly epoch: string; readonly seq: number } | undefined;
  private client: TestClient | undefined;
  private hasEnded = false;
  private readonly running: Promise<void>;

  constructor(private readonly journey: Journey) {
    this.running = this.travel();
  }

  get seq(): number | undefined {
    return this.position?.seq;
  }

  move(): void {
    this.client?.socket.terminate();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.hasEnded = true;
    this.move();
    await this.running;
  }

  private async travel(): Promise<void> {
    while (!this.hasEnded) {
      // A server that ends, or has no answer now, is left.
      await this.stay().catch(() => pause(50));
    }
  }

  private async stay(): Promise<void> {
    const { ports, random, channel } = this.journey;
    const up = ports();
    const port = up[Math.floor(random() * up.length)];
    if (port === undefined) throw new Error('no server is up');
    await using client = await connect(`ws://127.0.0.1:${port}/ws`, { claims: { sub: 'reader' } });
    this.client = client;
    const reply = await client.request('subscribe', { channel, since: this.position });
    if (reply.type !== 'subscribe_reply') throw new Error('it cannot subscribe now');
    this.places += 1;
    this.begin(reply.data as Subscribed);
    while (!this.hasEnded) this.take(await client.next());
  }

  private begin({ epoch, seq, publications, gap }: Subscribed): void {
    const known = this.position;
    this.position = { epoch, seq };
    if (known === undefined) return;
    if (epoch !== known.epoch || seq < known.seq) this.faults.push(`it went from ${known.seq} back to ${seq}`);
    if (gap?.from === null) this.faults.push(`a gap of unknown size up to ${gap.to}`);
    const there = new Set(publications.map((publication) => publication.seq));
    for (const each of there) if (each <= known.seq) this.faults.push(`${each} came twice`);
    for (let each = known.seq + 1; each <= seq; each += 1) {
      if (there.has(each)) this.received += 1;
      else if (gap !== undefined && each >= (gap.from ?? 0) && each <= gap.to) this.lost += 1;
      else this.faults.push(`${each} is missing in a reply after ${known.seq}`);
    }
  }

  private take({ type, epoch, seq, data }: Message): void {
    const { position } = this;
    if (position === undefined || (type !== 'message' && type !== 'gap')) return;
    const gap = type === 'gap' ? (data as Gap) : undefined;
    const first = gap === undefined ? (seq as number) : gap.from;
    if (epoch !== position.epoch || first !== position.seq + 1) {
      this.faults.push(`${first} came after ${position.seq}`);
    }
    const last = gap?.to ?? (seq as number);
    if (gap === undefined) this.received += 1;
    else this.lost += last - position.seq;
    this.position = { epoch: position.epoch, seq: last };
  }
}
