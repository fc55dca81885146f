import { randomUUID } from 'node:crypto';
import { ChannelEgress, type MadePublication } from '../channels/channel-egress.js';
import { jsonText } from '../protocol/codecs/json-codec.js';
import type { BridgeEvents, BrokerKind } from './bridge-events.js';
import type { BrokerQueues } from './broker-queues.js';
import { CHANNEL_HEADER, FROM_HEADER, nameOf, VIA_HEADER } from './outgoing.js';

interface BridgeEgressParts {
  /** Of this cluster. */
  readonly name: string;
  readonly queues: Readonly<Record<BrokerKind, BrokerQueues>>;
  readonly events: BridgeEvents;
}

/** Hands the publications that this node makes to the queues of the brokers. */
export class BridgeEgress extends ChannelEgress {
  constructor(private readonly parts: BridgeEgressParts) {
    super();
  }

  send({ channel, draft, published, via, mark }: MadePublication): void {
    const { egress } = channel.namespace;
    if (egress === undefined) return;
    const { position, isRepeat } = published;
    // It cannot be known whether it has left. With its position it has the same id again, without it would be another.
    if (isRepeat && (position === undefined || mark !== undefined)) return;
    const { name, queues, events } = this.parts;
    const broker = 'kafka' in egress ? 'kafka' : 'nats';
    if (via?.source === `${broker}:${nameOf(egress)}`) return void events.emit('left', nameOf(egress), 'circular');
    const place = position === undefined ? `:${randomUUID()}` : `${position.epoch}:${position.seq}`;
    queues[broker].push({
      destination: egress,
      id: `${channel.name}:${place}`,
      channel: channel.name,
      payload: payloadOf(draft.data),
      headers: {
        [CHANNEL_HEADER]: channel.name,
        ...(draft.from !== undefined && { [FROM_HEADER]: draft.from.userId }),
        [VIA_HEADER]: [...(via?.clusters ?? []), name].join(','),
      },
      expiresAt: draft.expiresAt,
    });
  }
}

/** Bytes as they are, anything else as JSON: what a bridge makes the same of. */
function payloadOf(data: unknown): Uint8Array {
  return data instanceof Uint8Array ? data : Buffer.from(jsonText(data));
}
