import type { BridgeEvents } from '../bridge-events.js';

/** Messages that wait in the partitions that this node reads. */
export class PartitionLag {
  private readonly topics = new Map<string, Map<number, number>>();

  constructor(private readonly events: BridgeEvents) {}

  set(topic: string, partition: number, messages: number): void {
    const partitions = this.topics.get(topic) ?? new Map<number, number>();
    partitions.set(partition, messages);
    this.topics.set(topic, partitions);
    this.events.emit(
      'lag',
      topic,
      [...partitions.values()].reduce((sum, waiting) => sum + waiting, 0),
    );
  }

  /** This node may read other partitions from now on. */
  forget(): void {
    for (const topic of this.topics.keys()) this.events.emit('lag', topic, 0);
    this.topics.clear();
  }
}
