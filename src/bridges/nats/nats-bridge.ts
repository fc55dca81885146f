import type { BeforeApplicationShutdown, OnApplicationBootstrap } from '@nestjs/common';
import type { NatsConnection } from '@nats-io/transport-node';
import type { NatsBroker } from '../../../config/bridges/brokers.js';
import type { NatsSource } from '../../../config/bridges/sources.js';
import type { BridgeEvents } from '../bridge-events.js';
import type { InboundMessages } from '../inbound-messages.js';
import type { OutgoingQueue } from '../outgoing-queue.js';
import { aborted, backoffMs, pause } from '../pause.js';
import { connectNats, type NatsPackages } from './nats-client.js';
import { natsSender } from './nats-sender.js';
import type { NatsReader, NatsReaderParts } from './nats-reader.js';
import { StreamReader } from './stream-reader.js';
import { SubjectReader } from './subject-reader.js';

interface NatsBridgeParts {
  readonly packages: NatsPackages;
  readonly broker: NatsBroker & { readonly sources: readonly NatsSource[] };
  readonly messages: InboundMessages;
  readonly events: BridgeEvents;
  readonly outgoing: OutgoingQueue;
}

/** For a message that is being published when the node ends. */
const STOP_MS = 5_000;
/** How long the end of the process waits for publications to leave. */
const FLUSH_MS = 5_000;

/** Keeps a connection to NATS, and reads every source over it. */
export class NatsBridge implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly end = new AbortController();
  private running: Promise<void> | undefined;
  private readers = new Set<NatsReader>();

  constructor(private readonly parts: NatsBridgeParts) {}

  onApplicationBootstrap(): void {
    this.running = this.run(this.end.signal);
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.parts.outgoing.close(FLUSH_MS);
    this.end.abort();
    await this.running;
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
      this.parts.outgoing.use(natsSender(shared));
      await Promise.all(broker.sources.map((source) => this.keepReading(source, shared, over)));
      await aborted(over);
      if (!signal.aborted) throw new Error('the connection was lost');
    } finally {
      this.parts.outgoing.use(undefined);
      await Promise.race([this.stopReaders(), pause(STOP_MS, closingOf(connection))]);
      if (!connection.isClosed()) await connection.drain().catch(() => connection.close());
    }
  }

  private async keepReading(source: NatsSource, shared: NatsReaderParts, over: AbortSignal): Promise<void> {
    for (let failures = 0; !over.aborted; failures += 1) {
      const reader = 'stream' in source ? new StreamReader(source, shared) : new SubjectReader(source, shared);
      this.readers.add(reader);
      try {
        await Promise.race([reader.done, aborted(over)]);
        if (over.aborted) return;
        this.failed(source.nats, new Error('reading has ended'));
      } catch (error) {
        this.failed(source.nats, error);
      }
      this.readers.delete(reader);
      await pause(backoffMs(failures), over);
    }
  }

  private async stopReaders(): Promise<void> {
    const readers = [...this.readers];
    this.readers.clear();
    await Promise.all(readers.map((reader) => reader.stop()));
  }

  private failed(bridge: string, error: unknown): void {
    this.parts.events.emit('failed', bridge, (error as Error).message);
  }
}

function closingOf(connection: NatsConnection): AbortSignal {
  const controller = new AbortController();
  void connection.closed().then(() => controller.abort());
  return controller.signal;
}
