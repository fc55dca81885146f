import { createServer, type IncomingMessage, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TestCertificate } from './certificates.js';
import { eventually } from './eventually.js';

interface JsonValue {
  readonly stringValue?: string;
  readonly intValue?: number | string;
  readonly doubleValue?: number;
  readonly boolValue?: boolean;
}

interface JsonAttribute {
  readonly key: string;
  readonly value: JsonValue;
}

interface JsonSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly traceState?: string;
  readonly name: string;
  readonly kind: number;
  readonly attributes: readonly JsonAttribute[];
  readonly links: readonly { readonly spanId: string }[];
  readonly events: readonly { readonly name: string; readonly attributes: readonly JsonAttribute[] }[];
  readonly status: { readonly code: number };
}

interface JsonExport {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly JsonAttribute[] };
    readonly scopeSpans: readonly { readonly spans: readonly JsonSpan[] }[];
  }[];
}

type Attributes = Record<string, string | number | boolean | undefined>;

/** A span as the collector got it. */
export interface ReceivedSpan extends Omit<JsonSpan, 'attributes' | 'events'> {
  readonly attributes: Attributes;
  readonly events: readonly { readonly name: string; readonly attributes: Attributes }[];
  /** `service.instance.id` */
  readonly node: string | number | boolean | undefined;
  /** What it is called in a `traceparent`. */
  readonly traceparent: string;
}

/** Takes what is sent to it by OTLP over HTTP, and reads what is JSON. */
export class OtlpCollector implements AsyncDisposable {
  readonly requests: { readonly headers: IncomingMessage['headers']; readonly body: Buffer }[] = [];
  readonly spans: ReceivedSpan[] = [];

  private constructor(
    private readonly server: Server,
    private readonly scheme: 'http' | 'https',
  ) {
    server.on('request', (request, response) => {
      void (async () => {
        const chunks: Buffer[] = [];
        for await (const chunk of request) chunks.push(chunk as Buffer);
        this.take(request, Buffer.concat(chunks));
        response.writeHead(200, { 'content-type': request.headers['content-type'] ?? '' }).end('{}');
      })();
    });
  }

  /** @param certificate of one that speaks TLS */
  static async start(certificate?: TestCertificate): Promise<OtlpCollector> {
    const server = certificate ? createTlsServer(certificate) : createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new OtlpCollector(server, certificate ? 'https' : 'http');
  }

  /** The settings with which a server sends its spans here at once. */
  get environment(): Record<string, string> {
    return {
      OTEL_EXPORTER_OTLP_ENDPOINT: `${this.scheme}://127.0.0.1:${(this.server.address() as AddressInfo).port}`,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
      OTEL_BSP_SCHEDULE_DELAY: '10',
    };
  }

  named(name: string, trace?: string): ReceivedSpan[] {
    return this.spans.filter((span) => span.name === name && (trace === undefined || span.traceId === trace));
  }

  /** Waits until a span has come for which the condition holds. */
  async next(name: string, holds: (span: ReceivedSpan) => boolean = () => true): Promise<ReceivedSpan> {
    await eventually(`a span ${name}`, () => this.named(name).some(holds));
    const [span] = this.named(name).filter(holds);
    if (span === undefined) throw new Error('never');
    return span;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private take({ headers }: IncomingMessage, body: Buffer): void {
    this.requests.push({ headers, body });
    if (headers['content-type'] !== 'application/json') return;
    const { resourceSpans } = JSON.parse(body.toString()) as JsonExport;
    for (const { resource, scopeSpans } of resourceSpans) {
      const node = attributesOf(resource.attributes)['service.instance.id'];
      for (const span of scopeSpans.flatMap(({ spans }) => spans)) this.spans.push(readable(span, node));
    }
  }
}

function readable(span: JsonSpan, node: ReceivedSpan['node']): ReceivedSpan {
  return {
    ...span,
    node,
    attributes: attributesOf(span.attributes),
    events: span.events.map(({ name, attributes }) => ({ name, attributes: attributesOf(attributes) })),
    traceparent: `00-${span.traceId}-${span.spanId}-01`,
  };
}

function attributesOf(attributes: readonly JsonAttribute[]): Attributes {
  return Object.fromEntries(
    attributes.map(({ key, value }) => [
      key,
      value.stringValue ??
        (value.intValue === undefined ? undefined : Number(value.intValue)) ??
        value.doubleValue ??
        value.boolValue,
    ]),
  );
}
