import { TestClient } from '../../src/testing/test-client.js';
import { merge } from '../../src/channels/state/merge-patch.js';
import { mintToken } from './test-server.js';
import type { ChangeReply } from './state-client.js';

export interface CellValues {
  readonly cell: string;
  readonly epoch: string;
  readonly seq: number;
  readonly state: Readonly<Record<string, unknown>>;
  readonly versions: Readonly<Record<string, number>>;
}

export interface AreaReply {
  readonly channel: string;
  readonly entered: readonly string[];
  readonly left: readonly string[];
  readonly cells: readonly CellValues[];
  readonly more?: true;
  readonly grid: { readonly cell: number; readonly maxCells: number; readonly wrap: number };
}

interface Changes {
  readonly cell: string;
  readonly set?: Readonly<Record<string, unknown>>;
  readonly del?: readonly string[];
  readonly state?: Readonly<Record<string, unknown>>;
  readonly more?: true;
}

export type Box = readonly [number, number, number, number];

/** A client of one channel with an area that does what docs/state.md says, and no more: a map for each cell. */
export class AreaClient implements AsyncDisposable {
  readonly cells = new Map<string, Map<string, unknown>>();
  readonly heard: Changes[] = [];

  constructor(
    readonly client: TestClient,
    readonly channel: string,
  ) {}

  static async connect(url: string, channel: string, claims: Record<string, unknown> = {}): Promise<AreaClient> {
    return new AreaClient(await TestClient.connect(url, mintToken(claims)), channel);
  }

  /** All keys, and how often each is there. */
  get map(): ReadonlyMap<string, unknown> {
    return new Map([...this.cells.values()].flatMap((cell) => [...cell]));
  }

  get count(): number {
    return [...this.cells.values()].reduce((sum, { size }) => sum + size, 0);
  }

  async join(): Promise<unknown> {
    this.cells.clear();
    return this.client.request('subscribe', { channel: this.channel });
  }

  async look(box: Box): Promise<AreaReply> {
    const { channel } = this;
    const reply = await this.client.request<AreaReply>('area', { channel, box });
    for (const cell of reply.left) this.cells.delete(cell);
    for (const cell of reply.entered) this.cells.set(cell, new Map());
    this.take(reply.cells);
    if (reply.more) await this.readRest();
    return reply;
  }

  async readRest(): Promise<void> {
    const { channel } = this;
    for (let more: true | undefined = true; more;) {
      const part: Pick<AreaReply, 'cells' | 'more'> = await this.client.request('area.next', { channel });
      this.take(part.cells);
      more = part.more;
    }
  }

  set(key: string, patch: unknown, more: object = {}): Promise<ChangeReply> {
    return this.client.request<ChangeReply>('state.set', { channel: this.channel, key, patch, ...more });
  }

  remove(key: string, more: object = {}): Promise<ChangeReply> {
    return this.client.request<ChangeReply>('state.remove', { channel: this.channel, key, ...more });
  }

  /** Takes the next push of the channel. Returns its data. */
  async next(): Promise<Changes> {
    for (;;) {
      const { type, data } = await this.client.next();
      if (type !== 'message' && type !== 'state') continue;
      const changes = data as Changes;
      this.heard.push(changes);
      if (type === 'message') this.apply(changes);
      else {
        this.cells.set(changes.cell, new Map(Object.entries(changes.state ?? {})));
        if (changes.more) await this.readRest();
      }
      return changes;
    }
  }

  /** Takes pushes until it is so. */
  async until(isSo: () => boolean): Promise<void> {
    while (!isSo()) await this.next();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.client[Symbol.asyncDispose]();
  }

  private take(parts: readonly CellValues[]): void {
    for (const { cell, state } of parts) {
      for (const [key, value] of Object.entries(state)) this.cells.get(cell)?.set(key, value);
    }
  }

  private apply({ cell, set = {}, del = [] }: Changes): void {
    const map = this.cells.get(cell);
    // It has left the cell, and the message was on its way.
    if (map === undefined) return;
    for (const key of del) map.delete(key);
    for (const [key, patch] of Object.entries(set)) map.set(key, merge(map.get(key), patch));
  }
}
