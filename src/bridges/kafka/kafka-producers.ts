import type { Kafka, Message, Partitioners, Producer } from 'kafkajs';

/** Every replica that is in sync has the message. */
const ALL_REPLICAS = -1;

/**
 * A producer for each topic. The client asks for all topics of a producer in one request, which fails if one of them is
 * missing or forbidden.
 */
export class KafkaProducers {
  private readonly producers = new Map<string, Promise<Producer>>();

  constructor(
    private readonly client: Pick<Kafka, 'producer'>,
    private readonly createPartitioner: typeof Partitioners.DefaultPartitioner,
  ) {}

  /** Stores messages in a topic, in their order; those with the same key in the same partition. */
  async send(topic: string, messages: Message[]): Promise<void> {
    const producer = await this.of(topic);
    await producer.send({ topic, messages, acks: ALL_REPLICAS });
  }

  async close(): Promise<void> {
    const closing = [...this.producers.values()].map(async (opened) => (await opened).disconnect());
    await Promise.allSettled(closing);
  }

  private of(topic: string): Promise<Producer> {
    const present = this.producers.get(topic);
    if (present !== undefined) return present;
    const producer = this.client.producer({
      createPartitioner: this.createPartitioner,
      allowAutoTopicCreation: false,
    });
    const opening = producer.connect().then(() => producer);
    this.producers.set(topic, opening);
    opening.catch(() => this.producers.delete(topic));
    return opening;
  }
}
