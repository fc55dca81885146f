import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { Kafka, logLevel, Partitioners, type Message } from 'kafkajs';
import { spawnBound } from './bound-process.js';
import { requireProgram } from './require-program.js';

/**
 * The mock cluster of librdkafka, which kcat starts: it speaks the protocol of Kafka and keeps everything in memory. `await
 * using` ends it.
 */
export class KafkaCluster implements AsyncDisposable {
  private constructor(
    private readonly child: ChildProcess,
    /** `127.0.0.1:…` of its brokers. */
    readonly brokers: readonly string[],
  ) {}

  static async start(): Promise<KafkaCluster> {
    const parameters = ['-P', '-b', 'x', '-t', 'warm', '-X', 'test.mock.num.brokers=3', '-d', 'mock'];
    // Its standard input stays open, for it ends with it.
    const child = spawnBound(requireProgram('kcat'), parameters, { stdio: ['pipe', 'ignore', 'pipe'] });
    let output = '';
    const brokers = await new Promise<string>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', () => reject(new Error(`kcat ended: ${output}`)));
      child.stderr?.on('data', (chunk: Buffer) => {
        if (output.length < 100_000) output += chunk.toString();
        const [, found] = /bootstrap\.servers=([\d.:,]+)/.exec(output) ?? [];
        if (found !== undefined) resolve(found);
      });
    });
    return new KafkaCluster(child, brokers.split(','));
  }

  get client(): Kafka {
    return new Kafka({ brokers: [...this.brokers], logLevel: logLevel.NOTHING });
  }

  /** Makes a topic by asking for it: it has 4 partitions. */
  async addTopic(topic: string): Promise<void> {
    await this.send(topic, []);
  }

  /** Stores messages in this order; those with the same key in the same partition. */
  async send(topic: string, messages: Message[]): Promise<void> {
    const producer = this.client.producer({
      createPartitioner: Partitioners.DefaultPartitioner,
      allowAutoTopicCreation: true,
    });
    await producer.connect();
    try {
      if (messages.length === 0) await this.client.admin().fetchTopicMetadata({ topics: [topic] });
      else await producer.send({ topic, messages });
    } finally {
      await producer.disconnect();
    }
  }

  /** SIGSTOP leaves it connected and silent, until SIGCONT. */
  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = once(this.child, 'close');
    this.child.kill('SIGKILL');
    await ended;
  }
}
