import type { OnApplicationBootstrap } from '@nestjs/common';
import type { NatsConnection } from '@nats-io/transport-node';
import type { NatsBroker } from '../../../config/bridges/brokers.js';
import type { NatsSource } from '../../../config/bridges/sources.js';
import { aborted, backoffMs, pause, within } from '../../channels/backoff.js';
import type { Bridge } from '../bridge.js';
import type { BridgeEvents } from '../bridge-events.js';
import type { BrokerQueues } from '../broker-queues.js';
import type { InboundMessages } from '../inbound-messages.js';
import { connectNats, type NatsPackages } from './nats-client.js';
import type { NatsReader, NatsReaderParts } from './nats-reader.js';
import { natsSenders } from './nats-sender.js';
import { StreamReader } from './stream-reader.js';
import { SubjectReader } from './subject-reader.js';

interface NatsBridgeParts {
  readonly packages: NatsPackages;
  readonly broker: NatsBroker & { readonly sources: readonly NatsSource[] };
  readonly messages: InboundMessages;
  readonly events: BridgeEvents;
  readonly outgoing: BrokerQueues;
}

/** For the messages that a reader has. */
const STOP_MS = 5_000;
/** For the connection to end. */
const CLOSE_MS = 1_000;

/** Keeps a connection to NATS, and reads every source over it. */
export class NatsBridge implements OnApplicationBootstrap, Bridge {
  /** Aborted when nothing more is to be read. */
  private readonly readingEnd = new AbortController();
  private readonly end = new AbortController();
  private running: Promise<void> | undefined;
  private reading: Promise<void> = Promise.resolve();

  constructor(private readonly parts: NatsBridgeParts) {}

  onApplicationBootstrap(): void {
    this.running = this.run(this.end.signal);
  }

  async stopReading(withinMs: number): Promise<void> {
    this.readingEnd.abort();
    await within(withinMs, this.reading);
  }

  async close(): Promise<void> {
    this.end.abort();
    await within(CLOSE_MS, this.running ?? Promise.resolve());
  }

  private async run(signal: AbortSignal): Promise<void> {
    const { packages, broker, events } = this.parts;
    for (let failures = 0; !signal.aborted; failures += 1) {
      try {
        const connection = await connectNats(packages, broker);
        failures = 0;
        events.emit('connected', 'nats', true);
        await this.serve(connection, signal);
      } catch (error) {
        this.failed('nats', error);
      }
      events.emit('connected', 'nats', false);
      await pause(backoffMs(failures), signal);
    }
  }

  /** Until the connection is lost, or the node ends. */
  private async serve(connection: NatsConnection, signal: AbortSignal): Promise<void> {
    const { packages, broker, messages, events } = this.parts;
    const over = AbortSignal.any([signal, closingOf(connection)]);
    try {
      const { jetstream, jetstreamManager } = packages.jetstream;
      const isStream = broker.sources.some((source) => 'stream' in source);
      const shared = {
        packages,
        connection,
        jetstream: jetstream(connection),
        // The check asks for rights that subjects alone do not need.
        manager: await jetstreamManager(connection, { checkAPI: isStream }),
        messages,
        events,
      };
      this.parts.outgoing.use(natsSenders(shared));
      const readingOver = AbortSignal.any([this.readingEnd.signal, over]);
      this.reading = this.readAll(broker.sources, shared, readingOver);
      await this.reading;
      await aborted(over);
      if (!signal.aborted) throw new Error('the connection was lost');
    } finally {
      this.parts.outgoing.use(undefined);
      if (!connection.isClosed()) await connection.drain().catch(() => connection.close());
    }
  }

  /** Never rejects. */
  private async readAll(sources: readonly NatsSource[], shared: NatsReaderParts, over: AbortSignal): Promise<void> {
    await Promise.all(sources.map((source) => this.keepReading(source, shared, over)));
  }

  private async keepReading(source: NatsSource, shared: NatsReaderParts, over: AbortSignal): Promise<void> {
    for (let failures = 0; !over.aborted; failures += 1) {
      const reader = 'stream' in source ? new StreamReader(source, shared) : new SubjectReader(source, shared);
      try {
        await Promise.race([reader.done, aborted(over)]);
        if (over.aborted) return await finish(reader, shared.connection);
        this.failed(source.nats, new Error('reading has ended'));
      } catch (error) {
        this.failed(source.nats, error);
      }
      await pause(backoffMs(failures), over);
    }
  }

  private failed(bridge: string, error: unknown): void {
    this.parts.events.emit('failed', bridge, (error as Error).message);
  }
}

/** Waits for the messages that it has, while they can be acknowledged. */
async function finish(reader: NatsReader, connection: NatsConnection): Promise<void> {
  await within(STOP_MS, Promise.race([reader.stop(), connection.closed()]));
}

function closingOf(connection: NatsConnection): AbortSignal {
  const controller = new AbortController();
  void connection.closed().then(() => controller.abort());
  return controller.signal;
}
