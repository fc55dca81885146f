import type { RawClient } from './raw-client.js';

/** Publications arrive in order, so a subscriber's n-th message is the n-th publication: no body has to be read. */
export class DeliveryTimes {
  count = 0;
  milliseconds: number[] = [];
  private readonly sentAt: number[] = [];

  constructor(subscribers: readonly RawClient[]) {
    for (const subscriber of subscribers) this.watch(subscriber);
  }

  /** Those that leave in one turn, from the first on. */
  expect(first: number, count = 1): void {
    const now = performance.now();
    for (let publication = first; publication < first + count; publication += 1) this.sentAt[publication] = now;
  }

  forget(): void {
    this.milliseconds = [];
  }

  private watch(subscriber: RawClient): void {
    let received = 0;
    subscriber.onMessages = (count) => {
      const now = performance.now();
      this.count += count;
      for (let one = 0; one < count; one += 1) this.milliseconds.push(now - (this.sentAt[received++] ?? now));
    };
  }
}
