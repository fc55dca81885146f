import { createNoopMeter, type Attributes, type MeterProvider } from '@opentelemetry/api';

const QUEUE_FULL = 'queue_full';

/** What the SDK tells of itself, of which we want one thing: spans that found no room in the queue. */
export function queueMeter(onDropped: (count: number) => void): MeterProvider {
  const meter = createNoopMeter();
  const add = (count: number, attributes?: Attributes): void => {
    if (attributes?.['error.type'] === QUEUE_FULL) onDropped(count);
  };
  meter.createCounter = () => ({ add });
  return { getMeter: () => meter };
}
