import { createNoopMeter, type Attributes, type MeterProvider } from '@opentelemetry/api';

const QUEUE_FULL = 'queue_full';

/** From the SDK's own metrics, we need only the number of spans that found the queue full. */
export function queueMeter(onDropped: (count: number) => void): MeterProvider {
  const meter = createNoopMeter();
  const add = (count: number, attributes?: Attributes): void => {
    if (attributes?.['error.type'] === QUEUE_FULL) onDropped(count);
  };
  meter.createCounter = () => ({ add });
  return { getMeter: () => meter };
}
