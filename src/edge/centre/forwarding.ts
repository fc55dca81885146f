import { Injectable } from '@nestjs/common';
import { isRetryable } from '@gatehouse/protocol';
import { demandPublish } from '../../channels/channel-access.js';
import { ChannelHooks } from '../../channels/channel-hooks.js';
import type { Channel } from '../../channels/channel.js';
import { Channels } from '../../channels/channels.js';
import type { PublishRequest } from '../../channels/publish-request.js';
import { demandMessages } from '../../channels/state/demand-state.js';
import { approximateBytes } from '../../cluster/ports/approximate-bytes.js';
import { errorBody, isFault } from '../../dispatch/error-reply.js';
import { GatehouseError } from '../../protocol/gatehouse-error.js';
import type { Session } from '../../sessions/session.js';
import type { ForwardedRecord, ForwardReply } from '../edge-protocol.js';
import { recordIn } from './forwarded-records.js';

/** What became of a record, or the code of the error. */
type Outcome = 'published' | 'repeated' | { readonly code: string; readonly isFinal: boolean };

/** The record, ready for the broker. */
interface Ready {
  readonly channel: Channel;
  readonly request: PublishRequest;
}

/** Publishes what an edge forwards, by the rights of the edge. */
@Injectable()
export class Forwarding {
  constructor(
    private readonly channels: Channels,
    private readonly hooks: ChannelHooks,
  ) {}

  /**
   * Publishes records of one run, in order. A record that fails for now holds up the ones behind it.
   *
   * @param given with seqs that ascend
   */
  async publishAll(session: Session, run: string, given: readonly Record<string, unknown>[]): Promise<ForwardReply> {
    /** The last record of each channel on its way to the broker: the next one must not overtake it. */
    const sent = new Map<string, number>();
    const outcomes: Promise<Outcome>[] = [];
    for (const each of given) {
      // One after the other: a hook that takes its time must not change the order.
      const ready = await this.prepare(session, each).catch(outcomeOf);
      if ('code' in ready) {
        outcomes.push(Promise.resolve(ready));
        if (!ready.isFinal) break;
        continue;
      }
      const seq = each.seq as number;
      const { name } = ready.channel;
      const mark = { edge: session.principal.userId, run, seq, after: sent.get(name) ?? 0 };
      sent.set(name, seq);
      outcomes.push(this.publish(ready.channel, { ...ready.request, mark }));
    }
    return replyOf(given, await Promise.all(outcomes));
  }

  /** @throws GatehouseError, and what a hook throws */
  private async prepare(session: Session, given: Record<string, unknown>): Promise<Ready> {
    const record = recordIn(given);
    if (record === undefined) throw new GatehouseError('VALIDATION_FAILED');
    const channel = this.channels.named(record.channel);
    demandMessages(channel);
    demandPublish(session, channel, this.channels.isSubscribed(session, channel));
    demandFitting(channel, record);
    const data = await this.hooks.ask('publish', { session, channel, data: record.data });
    return {
      channel,
      request: { data, ttlMs: record.ttlMs, idempotencyKey: record.key, from: session.publisher },
    };
  }

  private async publish(channel: Channel, request: PublishRequest): Promise<Outcome> {
    try {
      const { isRepeat } = await this.channels.publish(channel, request);
      return isRepeat ? 'repeated' : 'published';
    } catch (error) {
      return outcomeOf(error);
    }
  }
}

/** @throws GatehouseError MESSAGE_TOO_LARGE, or FORBIDDEN if the namespace requires encryption */
function demandFitting({ namespace }: Channel, { data }: ForwardedRecord): void {
  const { maxMessageBytes, encryption } = namespace;
  if (maxMessageBytes > 0 && approximateBytes(data) > maxMessageBytes) throw new GatehouseError('MESSAGE_TOO_LARGE');
  if (encryption === 'required') {
    throw new GatehouseError('FORBIDDEN', { message: 'This namespace requires encryption' });
  }
}

/** A fault of ours may be gone tomorrow. What a hook or a rule refuses, or no codec can write, is refused for good. */
function outcomeOf(error: unknown): Exclude<Outcome, string> {
  if (error instanceof TypeError || error instanceof RangeError) return { code: 'VALIDATION_FAILED', isFinal: true };
  const { code } = errorBody(error);
  return { code, isFinal: !isRetryable(code) && !isFault(error) };
}

function replyOf(given: readonly Record<string, unknown>[], outcomes: readonly Outcome[]): ForwardReply {
  const refused: { seq: number; code: string }[] = [];
  let upTo = 0;
  let repeated = 0;
  for (const [index, outcome] of outcomes.entries()) {
    const seq = given[index]?.seq as number;
    if (typeof outcome === 'string') repeated += outcome === 'repeated' ? 1 : 0;
    else if (outcome.isFinal) refused.push({ seq, code: outcome.code });
    else break;
    upTo = seq;
  }
  return { upTo, repeated, refused };
}
