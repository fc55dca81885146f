import type { OnApplicationShutdown } from '@nestjs/common';
import { createNoopMeter, type Attributes, type MeterProvider, type Tracer } from '@opentelemetry/api';
import { defaultResource, resourceFromAttributes, type Resource } from '@opentelemetry/resources';
import { BatchSpanProcessor, TracerProvider, type SpanExporter } from '@opentelemetry/sdk-trace';
import { readFileSync } from 'node:fs';
import type { Settings } from '../../../config/settings.js';
import { VERSION } from '../../../config/version.js';
import { withTimeout } from '../../upgrade/with-timeout.js';
import type { Logs } from '../logs/logs.js';
import { Tally } from '../metrics/tally.js';
import { joinGlobalTracing } from './global-tracing.js';
import { samplerOf } from './samplers.js';
import { SpanBudget } from './span-budget.js';
import { SPAN_LOSSES, type Tracing } from './tracing.js';
import { WatchedExporter } from './watched-exporter.js';

type TracingSettings = Pick<Settings, 'tracing' | 'server'>;

/** How long the shutdown waits for a collector to accept the last spans. */
const LAST_SPANS_MS = 2_000;
/** An application's exception may be of any length. */
const MAX_VALUE_LENGTH = 4_096;
/** What the SDK says of a span that it dropped. */
const QUEUE_FULL = 'queue_full';
const DEFAULT_ENDPOINT = 'http://localhost:4318';

/** The SDK, with every option from our settings. This module is imported, and the SDK loaded, only if tracing is on. */
export class OpenTelemetry implements Tracing, OnApplicationShutdown {
  readonly tracer: Tracer;
  readonly trustsClients: boolean;
  readonly dropped = new Tally(SPAN_LOSSES);
  private readonly provider: TracerProvider;
  private readonly leaveGlobal: () => void;
  private readonly refusals = new SpanBudget();
  private isOver = false;

  private constructor(
    { tracing, server }: TracingSettings,
    exporter: SpanExporter,
    private readonly logs: Logs,
  ) {
    const processor = new BatchSpanProcessor({
      exporter: new WatchedExporter(exporter, (spans, error) => this.failed(spans, error)),
      maxQueueSize: tracing.queueSize,
      maxExportBatchSize: tracing.batchSize,
      scheduledDelayMillis: tracing.delayMs,
      exportTimeoutMillis: tracing.exportTimeoutMs,
      selfObsMeterProvider: queueMeter((count) => this.dropped.add(QUEUE_FULL, count)),
    });
    this.provider = new TracerProvider({
      resource: resourceOf({ tracing, server }),
      sampler: samplerOf(tracing),
      spanLimits: { attributeValueLengthLimit: MAX_VALUE_LENGTH },
      spanProcessors: [processor],
    });
    this.tracer = this.provider.getTracer('gatehouse', VERSION);
    this.trustsClients = tracing.trustClients === 'on';
    this.leaveGlobal = joinGlobalTracing(this.provider);
  }

  static async start(settings: TracingSettings, logs: Logs): Promise<OpenTelemetry> {
    return new OpenTelemetry(settings, await exporterOf(settings.tracing), logs);
  }

  /** All sessions have left. A collector that does not answer is not waited for. */
  async onApplicationShutdown(): Promise<void> {
    this.leaveGlobal();
    await withTimeout(
      this.provider.shutdown().catch(() => {}),
      LAST_SPANS_MS,
      undefined,
    );
    this.isOver = true;
  }

  admitsRefusal(): boolean {
    const isAdmitted = this.refusals.take(performance.now());
    if (!isAdmitted) this.dropped.add('refusals');
    return isAdmitted;
  }

  private failed(spans: number, { message }: Error): void {
    this.dropped.add('export_failed', spans);
    // The log has ended, too.
    if (this.isOver) return;
    this.logs.write('spans_lost', () => ({ reason: message, spans }));
  }
}

/** From the SDK's own metrics, we need only the number of spans that found the queue full. */
function queueMeter(onDropped: (count: number) => void): MeterProvider {
  const meter = createNoopMeter();
  const add = (count: number, attributes?: Attributes): void => {
    if (attributes?.['error.type'] === QUEUE_FULL) onDropped(count);
  };
  meter.createCounter = () => ({ add });
  return { getMeter: () => meter };
}

/** Every option is set, so that the SDK reads nothing from the environment. */
async function exporterOf(tracing: Settings['tracing']): Promise<SpanExporter> {
  const protocol = tracing.tracesProtocol ?? tracing.protocol;
  const { OTLPTraceExporter } =
    protocol === 'http/json'
      ? await import('@opentelemetry/exporter-trace-otlp-http')
      : await import('@opentelemetry/exporter-trace-otlp-proto');
  // Its own type wants an enum of a package that we do not depend on.
  const Exporter: new (options: object) => SpanExporter = OTLPTraceExporter;
  return new Exporter({
    url: endpointOf(tracing),
    headers: { ...tracing.headers, ...tracing.tracesHeaders },
    timeoutMillis: tracing.tracesTimeoutMs ?? tracing.timeoutMs,
    compression: tracing.tracesCompression ?? tracing.compression,
    httpAgentOptions: { keepAlive: true, ...authorityOf(tracing) },
  });
}

function authorityOf({ certificate, tracesCertificate = certificate }: Settings['tracing']): { readonly ca?: Buffer } {
  return tracesCertificate === undefined ? {} : { ca: readFileSync(tracesCertificate) };
}

function endpointOf({ endpoint = DEFAULT_ENDPOINT, tracesEndpoint }: Settings['tracing']): string {
  return tracesEndpoint ?? `${endpoint.replace(/\/$/, '')}/v1/traces`;
}

function resourceOf({ tracing, server }: TracingSettings): Resource {
  const { serviceName, resourceAttributes } = tracing;
  return defaultResource().merge(
    resourceFromAttributes({
      'service.name': 'gatehouse',
      'service.version': VERSION,
      'service.instance.id': server.serverId,
      ...resourceAttributes,
      ...(serviceName !== undefined && { 'service.name': serviceName }),
    }),
  );
}
