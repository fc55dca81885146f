import { readFileSync } from 'node:fs';
import { keyValues } from '../key-values.js';
import { integer, milliseconds, oneOf, optionalText, type Setting } from '../setting.js';

const SAMPLERS = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
] as const;
/** Characters of a header's name, and of its value (RFC 9110 §5). */
const HEADER_NAME = /^[\w!#$%&'*+\-.^`|~]+$/;
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

const protocol: Setting<'http/protobuf' | 'http/json'> = {
  env: 'OTEL_EXPORTER_OTLP_PROTOCOL',
  unit: 'http/protobuf | http/json',
  fallback: 'http/protobuf',
  secret: false,
  effect: 'How spans are sent. OTLP over gRPC is not supported. Collectors accept HTTP, usually on port 4318.',
  parse(given) {
    if (given === 'http/protobuf' || given === 'http/json') return given;
    const why = given === 'grpc' ? ': OTLP over gRPC is not supported, collectors accept HTTP on port 4318' : '';
    throw new Error(`must be http/protobuf or http/json${why}`);
  },
};

const headers: Setting<Readonly<Record<string, string>>> = {
  env: 'OTEL_EXPORTER_OTLP_HEADERS',
  unit: 'key=value list',
  fallback: '',
  secret: true,
  effect: 'Headers of each request to the collector, such as Authorization=Bearer%20…. Values are percent-encoded.',
  parse(given) {
    const pairs = keyValues(given);
    for (const [name, value] of Object.entries(pairs)) {
      if (!HEADER_NAME.test(name) || !HEADER_VALUE.test(value)) throw new Error('must be headers that HTTP can carry');
    }
    return pairs;
  },
};

const timeoutMs = milliseconds({
  env: 'OTEL_EXPORTER_OTLP_TIMEOUT',
  fallback: 10_000,
  min: 1,
  effect: 'How long one request to the collector may take, including retries.',
});

const compression = oneOf({
  env: 'OTEL_EXPORTER_OTLP_COMPRESSION',
  values: ['none', 'gzip'],
  fallback: 'none',
  effect: 'Whether requests to the collector are compressed.',
});

const certificate = optionalText({
  env: 'OTEL_EXPORTER_OTLP_CERTIFICATE',
  unit: 'path',
  check: checkCertificate,
  effect: 'The certificate authority of the collector, in PEM. Unset: those that Node knows.',
});

const resourceAttributes: Setting<Readonly<Record<string, string>>> = {
  env: 'OTEL_RESOURCE_ATTRIBUTES',
  unit: 'key=value list',
  fallback: '',
  secret: false,
  effect: 'Attributes of every span, such as deployment.environment.name=production. Values are percent-encoded.',
  parse: keyValues,
};

const samplerArg: Setting<number> = {
  env: 'OTEL_TRACES_SAMPLER_ARG',
  unit: 'share from 0 to 1',
  fallback: '1',
  secret: false,
  effect: 'The share of traces that traceidratio and parentbased_traceidratio record.',
  parse(given) {
    const share = Number(given);
    if (!/^\d*\.?\d+$/.test(given) || share > 1) throw new Error('must be a number from 0 to 1');
    return share;
  },
};

/** The same setting for traces only, which are the only signal. Unset: the general one applies. */
function ofTraces<T>(setting: Setting<T>): Setting<T | undefined> {
  const env = setting.env.replace('_OTLP_', '_OTLP_TRACES_');
  return { ...setting, env, fallback: undefined, effect: `Replaces ${setting.env} if it is set.` };
}

/** The address of a collector. */
function checkUrl(given: string): void {
  const { protocol: scheme } = URL.canParse(given) ? new URL(given) : {};
  if (scheme !== 'http:' && scheme !== 'https:') throw new Error('must be an http:// or https:// URL');
}

function checkCertificate(path: string): void {
  const isPem = /-----BEGIN CERTIFICATE-----/.test(textOf(path));
  if (!isPem) throw new Error('must name a file with a certificate in PEM');
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new Error(`must name a file that can be read (${(error as NodeJS.ErrnoException).code})`, { cause: error });
  }
}

/** Tracing. Names and defaults are those of the OpenTelemetry specification, except for the exporter. */
export const tracing = {
  disabled: oneOf({
    env: 'OTEL_SDK_DISABLED',
    values: ['false', 'true'],
    fallback: 'false',
    effect: 'true: nothing is traced, whatever else is set.',
  }),
  exporter: oneOf({
    env: 'OTEL_TRACES_EXPORTER',
    values: ['auto', 'otlp', 'none'],
    fallback: 'auto',
    effect:
      'otlp: traces are recorded and sent to a collector. none: no tracing code is loaded. auto: otlp if an endpoint is set.',
  }),
  endpoint: optionalText({
    env: 'OTEL_EXPORTER_OTLP_ENDPOINT',
    unit: 'URL',
    check: checkUrl,
    effect:
      'The collector; /v1/traces is added. If OTEL_TRACES_EXPORTER is otlp and no endpoint is set: http://localhost:4318.',
  }),
  tracesEndpoint: optionalText({
    env: 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT',
    unit: 'URL',
    check: checkUrl,
    effect: 'Where spans are sent, instead of OTEL_EXPORTER_OTLP_ENDPOINT. Nothing is added.',
  }),
  protocol,
  tracesProtocol: ofTraces(protocol),
  headers,
  tracesHeaders: ofTraces(headers),
  timeoutMs,
  tracesTimeoutMs: ofTraces(timeoutMs),
  compression,
  tracesCompression: ofTraces(compression),
  certificate,
  tracesCertificate: ofTraces(certificate),
  serviceName: optionalText({
    env: 'OTEL_SERVICE_NAME',
    unit: 'text',
    effect:
      'The name of this service in traces; SERVER_ID is its service.instance.id. Unset: the service.name of OTEL_RESOURCE_ATTRIBUTES, or gatehouse.',
  }),
  resourceAttributes,
  sampler: oneOf({
    env: 'OTEL_TRACES_SAMPLER',
    values: SAMPLERS,
    fallback: 'parentbased_always_on',
    effect:
      'Which traces are recorded. parentbased: a trace that a back end or another node began is recorded if it was recorded there; the rest of the name decides about all others.',
  }),
  samplerArg,
  trustClients: oneOf({
    env: 'TRACE_TRUST_CLIENTS',
    values: ['off', 'on'],
    fallback: 'off',
    effect:
      'off: a client’s trace is continued, but the server decides whether to record it. on: the client decides too; use it only if all clients are your own.',
  }),
  queueSize: integer({
    env: 'OTEL_BSP_MAX_QUEUE_SIZE',
    fallback: 2_048,
    unit: 'spans',
    min: 1,
    max: 1_000_000,
    effect: 'Spans that may wait for the collector. Further spans are dropped and counted.',
  }),
  batchSize: integer({
    env: 'OTEL_BSP_MAX_EXPORT_BATCH_SIZE',
    fallback: 512,
    unit: 'spans',
    min: 1,
    max: 1_000_000,
    effect: 'Spans in one request to the collector, at most OTEL_BSP_MAX_QUEUE_SIZE.',
  }),
  delayMs: milliseconds({
    env: 'OTEL_BSP_SCHEDULE_DELAY',
    fallback: 5_000,
    effect: 'How long a span waits to be sent together with others.',
  }),
  exportTimeoutMs: milliseconds({
    env: 'OTEL_BSP_EXPORT_TIMEOUT',
    fallback: 30_000,
    min: 1,
    effect: 'After this time the next batch is sent, whatever happened to the one before.',
  }),
} as const;
