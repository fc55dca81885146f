import type { ChannelPattern } from '../../config/bridges/channel-pattern.js';
import { publishForBackEnd, type BackEndOutcome } from '../channels/back-end-publish.js';
import type { Channels } from '../channels/channels.js';
import { valueOf } from './message-value.js';

/** What became of it; `own` if this cluster had sent it out. */
export type InboundOutcome = BackEndOutcome | 'own';

/** A message of a broker. */
export interface InboundMessage {
  readonly payload: Uint8Array | null;
  /** The same whenever the broker sends the message again. Undefined: it never does. */
  readonly key: string | undefined;
  /** `kafka:<topic>` or `nats:<subject>`. */
  readonly source: string;
  /** The clusters that sent it out, as its header says. */
  readonly via: string | undefined;
  /** Returns a value that a channel pattern names, undefined if the message has none. */
  readonly value: (name: string) => string | undefined;
}

/** Publishes messages of brokers in channels. Those of one channel keep the order of the calls. */
export class InboundMessages {
  /** @param name of this cluster */
  constructor(
    private readonly channels: Channels,
    private readonly name: string,
  ) {}

  /** Never rejects. */
  async publish(message: InboundMessage, pattern: ChannelPattern): Promise<InboundOutcome> {
    const clusters = message.via?.split(',') ?? [];
    // Whatever went out must not come in again: it would go round in a circle.
    if (clusters.includes(this.name)) return 'own';
    let channel: string;
    let data: unknown;
    try {
      channel = channelOf(pattern, message);
      data = valueOf(message.payload);
    } catch (error) {
      return { refused: (error as Error).message };
    }
    return publishForBackEnd(this.channels, channel, {
      data,
      idempotencyKey: message.key,
      via: { source: message.source, clusters },
    });
  }
}

/** @throws Error if the message lacks a value */
function channelOf({ namespace, parts }: ChannelPattern, { value }: InboundMessage): string {
  const texts = parts.map((part) => {
    if ('text' in part) return part.text;
    const text = value(part.value);
    if (text === undefined || text === '') throw new Error(`it has no ${part.value}`);
    return text;
  });
  return `${namespace}:${texts.join('')}`;
}
