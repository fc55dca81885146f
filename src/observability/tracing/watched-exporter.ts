import type { SpanExporter } from '@opentelemetry/sdk-trace';

type Export = Parameters<SpanExporter['export']>;

/** An exporter that reports what it could not send to the collector. */
export class WatchedExporter implements SpanExporter {
  constructor(
    private readonly exporter: SpanExporter,
    private readonly onFailed: (spans: number, error: Error) => void,
  ) {}

  export(...[spans, done]: Export): void {
    this.exporter.export(spans, (result) => {
      if (result.error !== undefined) this.onFailed(spans.length, result.error);
      done(result);
    });
  }

  shutdown(): Promise<void> {
    return this.exporter.shutdown();
  }

  async forceFlush(): Promise<void> {
    await this.exporter.forceFlush?.();
  }
}
