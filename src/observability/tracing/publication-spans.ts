import { context, SpanKind, trace, type Span, type Tracer } from '@opentelemetry/api';
import { isFault } from '../../dispatch/error-reply.js';
import type { Destination, Traces } from '../../protocol/traces.js';
import { codeOf, tellException, tellOutcome } from './outcomes.js';
import { parentOf, traceOf } from './parents.js';
import { destinationAttributes } from './shown-names.js';

/** A span for the publish, and one for the delivery on each node, but not one for each receiver. */
export class PublicationSpans implements Traces {
  constructor(private readonly tracer: Tracer) {}

  publish<T>(destination: Destination, publish: (trace: string | undefined) => T): T {
    const span = this.tracer.startSpan('websocket.publish', { kind: SpanKind.PRODUCER }, context.active());
    if (!span.isRecording()) return publish(undefined);
    span.setAttributes({ ...destinationAttributes(destination), ...PUBLISH });
    return ended(span, () => publish(traceOf(span)));
  }

  deliver(destination: Destination, parent: string, deliver: (trace: string) => number): number {
    const span = this.tracer.startSpan('websocket.deliver', { kind: SpanKind.CONSUMER }, parentOf(parent));
    if (!span.isRecording()) return deliver(parent);
    span.setAttributes({ ...destinationAttributes(destination), ...DELIVER });
    return ended(span, () => {
      const count = deliver(traceOf(span) ?? parent);
      span.setAttribute('gatehouse.deliveries', count);
      return count;
    });
  }

  present(): string | undefined {
    const span = trace.getSpan(context.active());
    return span && traceOf(span);
  }
}

const PUBLISH = { 'messaging.operation.type': 'send', 'messaging.operation.name': 'publish' };
const DELIVER = { 'messaging.operation.type': 'process', 'messaging.operation.name': 'deliver' };

/** Ends the span when the operation has ended, at once or later. */
function ended<T>(span: Span, act: () => T): T {
  try {
    const result = act();
    if (!(result instanceof Promise)) {
      span.end();
      return result;
    }
    result.then(
      () => span.end(),
      (exception: unknown) => fail(span, exception),
    );
    return result;
  } catch (exception) {
    fail(span, exception);
    throw exception;
  }
}

function fail(span: Span, exception: unknown): void {
  tellOutcome(span, codeOf(exception));
  if (isFault(exception)) tellException(span, exception);
  span.end();
}
