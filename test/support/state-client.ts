import { TestClient } from '../../src/testing/test-client.js';
import { merge } from '../../src/channels/state/merge-patch.js';
import { mintToken } from './test-server.js';

export interface StateReply {
  readonly channel: string;
  readonly epoch: string;
  readonly seq: number;
  readonly recovered: boolean;
  readonly publications: readonly { readonly seq: number; readonly data: unknown }[];
  readonly gap?: unknown;
  readonly state?: Readonly<Record<string, unknown>>;
  readonly versions?: Readonly<Record<string, number>>;
  readonly more?: true;
}

export interface ChangeReply {
  readonly channel: string;
  readonly key: string;
  readonly epoch: string;
  readonly version: number;
}

interface Changes {
  readonly set?: Readonly<Record<string, unknown>>;
  readonly del?: readonly string[];
}

/** A client of one state channel that does what docs/state.md says, and no more. */
export class StateClient implements AsyncDisposable {
  readonly map = new Map<string, unknown>();
  /** Whole states that came instead of changes. */
  snapshots = 0;
  position: { readonly epoch: string; readonly seq: number } | undefined;

  constructor(
    readonly client: TestClient,
    readonly channel: string,
  ) {}

  static async connect(url: string, channel: string, claims: Record<string, unknown> = {}): Promise<StateClient> {
    return new StateClient(await TestClient.connect(url, mintToken(claims)), channel);
  }

  /** Subscribes and reads every part of the state. */
  async join(since = this.position): Promise<StateReply> {
    const { channel } = this;
    const reply = await this.client.request<StateReply>('subscribe', { channel, since });
    if (!reply.recovered) this.begin();
    this.take(reply.state);
    for (const { data } of reply.publications) this.apply(data as Changes);
    this.position = { epoch: reply.epoch, seq: reply.seq };
    if (reply.more) await this.readRest();
    return reply;
  }

  async readRest(): Promise<void> {
    for (;;) {
      const { state, more } = await this.client.request<StateReply>('state.next', { channel: this.channel });
      this.take(state);
      if (!more) return;
    }
  }

  set(key: string, patch: unknown, more: object = {}): Promise<ChangeReply> {
    return this.client.request<ChangeReply>('state.set', { channel: this.channel, key, patch, ...more });
  }

  remove(key: string, more: object = {}): Promise<ChangeReply> {
    return this.client.request<ChangeReply>('state.remove', { channel: this.channel, key, ...more });
  }

  /** Takes the next push of the channel. Returns its data. */
  async next(): Promise<unknown> {
    for (;;) {
      const {
        type,
        data,
        seq = 0,
        epoch,
      } = (await this.client.next()) as Awaited<ReturnType<TestClient['next']>> & {
        epoch?: string;
      };
      if (type !== 'message' && type !== 'state') continue;
      this.position = { epoch: epoch ?? '', seq };
      if (type === 'message') this.apply(data as Changes);
      else {
        this.begin();
        this.take((data as StateReply).state);
        if ((data as StateReply).more) await this.readRest();
      }
      return data;
    }
  }

  /** Takes pushes up to this seq. */
  async reach(seq: number): Promise<ReadonlyMap<string, unknown>> {
    while ((this.position?.seq ?? 0) < seq) await this.next();
    return this.map;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.client[Symbol.asyncDispose]();
  }

  private begin(): void {
    this.snapshots += 1;
    this.map.clear();
  }

  private take(state: StateReply['state'] = {}): void {
    for (const [key, value] of Object.entries(state)) this.map.set(key, value);
  }

  private apply({ set = {}, del = [] }: Changes): void {
    for (const key of del) this.map.delete(key);
    for (const [key, patch] of Object.entries(set)) this.map.set(key, merge(this.map.get(key), patch));
  }
}
