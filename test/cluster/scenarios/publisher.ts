import type { Message } from '../../support/test-client.js';
import { IDS_PER_PUBLISHER, type Ledger } from './ledger.js';
import { Line, type LineSetup } from './line.js';

/** Beyond this many without an answer nothing new is published: the machine, or a fault, sets the pace then. */
const MAX_UNANSWERED = 40;
const RETRY_MS = 200;

interface Unanswered {
  readonly ledger: Ledger;
  tries: number;
  readonly sentAt: number;
}

/** Publishes, and again with the same idempotency key where that failed, until every publication is acknowledged. */
export class Publisher implements AsyncDisposable {
  acknowledged = 0;
  retries = 0;
  /** Answers with SERVER_BUSY. */
  refused = 0;
  readonly line: Line;
  private readonly unanswered = new Map<number, Unanswered>();
  private count = 0;

  constructor(
    private readonly index: number,
    setup: Pick<LineSetup, 'user' | 'ports' | 'first' | 'isImpatient'>,
  ) {
    this.line = new Line({
      ...setup,
      onOpen: () => this.repeat(),
      onMessage: (message) => this.receive(message),
    });
  }

  get isIdle(): boolean {
    return this.unanswered.size === 0;
  }

  /** @returns whether it was published: not while too many wait for their answer */
  publish(ledger: Ledger): boolean {
    if (this.unanswered.size >= MAX_UNANSWERED) return false;
    this.count += 1;
    const id = this.index * IDS_PER_PUBLISHER + this.count;
    ledger.sent(id);
    this.unanswered.set(id, { ledger, tries: 0, sentAt: performance.now() });
    this.send(id);
    return true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.unanswered.clear();
    await this.line[Symbol.asyncDispose]();
  }

  private send(id: number): void {
    const publication = this.unanswered.get(id);
    if (!publication) return;
    publication.tries += 1;
    if (publication.tries > 1) this.retries += 1;
    const data = { channel: publication.ledger.channel, data: { id }, idempotencyKey: String(id) };
    this.line.send({ type: 'publish', id, data });
  }

  /** The connection was lost, and with it maybe answers. */
  private repeat(): void {
    for (const id of this.unanswered.keys()) this.send(id);
  }

  private receive({ type, id, data, code, retryAfter }: Message): void {
    const publication = this.unanswered.get(Number(id));
    if (!publication) return;
    if (type === 'error') {
      if (code !== 'SERVER_BUSY') throw new Error(`publish was answered ${String(code)}`);
      this.refused += 1;
      setTimeout(() => this.send(Number(id)), Number(retryAfter ?? RETRY_MS));
      return;
    }
    this.unanswered.delete(Number(id));
    this.acknowledged += 1;
    const { epoch, seq } = data as { epoch: string; seq: number };
    publication.ledger.acknowledged({ id: Number(id), epoch, seq, isFirstTry: publication.tries === 1 });
  }
}
