import type { ChannelName } from '../../cluster/ports/broker.js';
import { GatehouseError } from '../../protocol/gatehouse-error.js';
import { connectionOf, type SubscriptionsTable } from '../connections/subscriptions-table.js';
import { MAX_POST_BYTES } from '../connections/posted-connection.js';
import { Invocation } from '../invocation.js';
import { FAN_OUT, type FanOutEvent } from '../routes/fan-out-event.js';
import type { FunctionInvoker } from './function-invoker.js';
import type { Poster } from './poster.js';

/** Posts under way at once. */
const AT_ONCE = 50;
/** Receivers that one invocation serves. */
export const PER_INVOCATION = 200;
/** Invocations that are being asked for at once. */
const HANDED_AT_ONCE = 10;

/** Receivers: members of a channel by their sort keys, or connections by their ids. */
export interface Receivers {
  readonly channel?: ChannelName;
  readonly pages: AsyncIterable<readonly string[]>;
}

interface FanOutParts {
  readonly poster: Poster;
  readonly invoker: FunctionInvoker;
  readonly subscriptions: SubscriptionsTable;
}

/** One payload to many connections. The first receivers are served here, the others by invocations of their own. */
export class FanOut {
  constructor(private readonly parts: FanOutParts) {}

  /**
   * Resolves with how many receivers took the payload, or were handed over.
   *
   * @throws GatehouseError MESSAGE_TOO_LARGE
   */
  async send(payload: Uint8Array, { channel, pages }: Receivers): Promise<number> {
    demandRoom(payload);
    let chunk: string[] = [];
    let reached = 0;
    let isFirst = true;
    const handing = new Set<Promise<unknown>>();
    const flush = async (): Promise<void> => {
      const ids = chunk;
      chunk = [];
      const serve = isFirst ? this.serve(payload, { channel, ids }) : this.handOver(payload, { channel, ids });
      isFirst = false;
      const counted: Promise<unknown> = serve
        .then((count) => (reached += count))
        .finally(() => handing.delete(counted));
      handing.add(counted);
      // It is awaited at the end, and must not end the process before.
      counted.catch(() => undefined);
      if (handing.size >= HANDED_AT_ONCE) await Promise.race(handing);
    };
    for await (const page of pages) {
      for (const id of page) {
        chunk.push(id);
        if (chunk.length === PER_INVOCATION) await flush();
      }
    }
    if (chunk.length > 0) await flush();
    await Promise.all(handing);
    return reached;
  }

  /** Serves what another invocation has handed over. */
  take({ channel, payload, ids }: FanOutEvent): Promise<number> {
    return this.serve(Buffer.from(payload, 'base64'), { channel: channel as ChannelName | undefined, ids });
  }

  private async serve(payload: Uint8Array, { channel, ids }: Chunk): Promise<number> {
    const waiting = ids.values();
    const orphans: string[] = [];
    let reached = 0;
    const work = async (): Promise<void> => {
      for (const id of waiting) {
        const connectionId = channel === undefined ? id : connectionOf(id);
        const posted = await this.parts.poster.post(connectionId, payload);
        if (posted === 'posted') reached += 1;
        else if (posted === 'gone' && channel !== undefined) orphans.push(id);
      }
    };
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, ids.length) }, work));
    if (channel !== undefined && orphans.length > 0) await this.forget(channel, orphans);
    return reached;
  }

  /** Also the row by which a connection was found: it may have been written after the others were deleted. */
  private async forget(channel: ChannelName, members: readonly string[]): Promise<void> {
    const rows = members.map((member) => ({ channel, member }));
    const left = await this.parts.subscriptions.removeAll(rows);
    Invocation.current.outcomes.add('rows_left', left);
  }

  private async handOver(payload: Uint8Array, { channel, ids }: Chunk): Promise<number> {
    const { outcomes, options } = Invocation.current;
    const event: FanOutEvent = {
      gatehouse: FAN_OUT,
      endpoint: options.endpoint,
      ...(channel !== undefined && { channel }),
      // Text in JSON may need twice its length, and an event may have 256 KB.
      payload: Buffer.from(payload).toString('base64'),
      ids,
    };
    if (await this.parts.invoker.invoke(event)) {
      outcomes.add('handed_over', ids.length);
      return ids.length;
    }
    outcomes.add('hand_over_failed', ids.length);
    return this.serve(payload, { channel, ids });
  }
}

interface Chunk {
  readonly channel: ChannelName | undefined;
  readonly ids: readonly string[];
}

export function demandRoom(payload: Uint8Array): void {
  if (payload.length <= MAX_POST_BYTES) return;
  Invocation.current.outcomes.add('post_too_large');
  throw new GatehouseError('MESSAGE_TOO_LARGE');
}
