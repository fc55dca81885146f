import type { Message } from '../../support/test-client.js';
import type { Gap, SubscribeReply, Witness } from './ledger.js';
import { Line, type LineSetup } from './line.js';

const RETRY_MS = 200;

/** Does what docs/channels.md tells a client to do, and hands what it sees to its witness. */
export class Subscriber implements AsyncDisposable {
  delivered = 0;
  /** Resolves with the first reply. */
  readonly ready: Promise<void>;
  readonly line: Line;
  private isReady: () => void = () => {};
  private retry: NodeJS.Timeout | undefined;

  constructor(
    private readonly channel: string,
    readonly witness: Witness,
    setup: Pick<LineSetup, 'user' | 'ports' | 'first' | 'isImpatient'>,
  ) {
    this.ready = new Promise((resolve) => {
      this.isReady = resolve;
    });
    this.line = new Line({
      ...setup,
      onOpen: () => this.subscribe(),
      onMessage: (message) => this.receive(message),
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.retry);
    await this.line[Symbol.asyncDispose]();
  }

  private subscribe(): void {
    clearTimeout(this.retry);
    const { channel, witness } = this;
    this.line.send({ type: 'subscribe', id: 1, data: { channel, since: witness.position } });
  }

  private receive({ type, epoch, seq, data, code, retryAfter }: Message): void {
    switch (type) {
      case 'message':
        this.delivered += 1;
        this.witness.message({ epoch: String(epoch), seq: Number(seq) }, (data as { id: number }).id);
        return;
      case 'gap':
        this.witness.gap(String(epoch), data as Gap);
        return;
      case 'subscribe_reply':
        this.delivered += (data as SubscribeReply).publications.length;
        this.witness.subscribed(data as SubscribeReply);
        this.isReady();
        return;
      case 'error':
        if (code !== 'SERVER_BUSY') throw new Error(`subscribe was answered ${String(code)}`);
        this.retry = setTimeout(() => this.subscribe(), Number(retryAfter ?? RETRY_MS));
    }
  }
}
