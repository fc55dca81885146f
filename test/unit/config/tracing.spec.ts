import { describe, expect, it } from 'vitest';
import { loadSettings, type Environment, type Settings } from '../../../config/settings.js';
import { UnusableSettings } from '../../../config/unusable-settings.js';

const WITH_KEY: Environment = { NODE_ENV: 'test', JWT_SECRET: 'a-secret-of-tests-with-enough-characters' };
const ENDPOINT = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' };

function tracingOf(environment: Environment): Settings['tracing'] {
  return loadSettings({ ...WITH_KEY, ...environment }).tracing;
}

function faultsOf(environment: Environment): readonly string[] {
  try {
    tracingOf(environment);
    return [];
  } catch (error) {
    if (error instanceof UnusableSettings) return error.faults;
    throw error;
  }
}

describe('the settings of tracing', () => {
  it.each<[string, Environment, 'otlp' | 'none']>([
    ['nothing is set', {}, 'none'],
    ['an endpoint is', ENDPOINT, 'otlp'],
    ['one for traces is', { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://collector/traces' }, 'otlp'],
    ['it is asked for', { OTEL_TRACES_EXPORTER: 'otlp' }, 'otlp'],
    ['it is not wanted', { ...ENDPOINT, OTEL_TRACES_EXPORTER: 'none' }, 'none'],
    ['all of it is off', { ...ENDPOINT, OTEL_TRACES_EXPORTER: 'otlp', OTEL_SDK_DISABLED: 'true' }, 'none'],
  ])('decide whether there is any, where %s', (_case, environment, exporter) => {
    expect(tracingOf(environment).exporter).toBe(exporter);
  });

  it('have the defaults of the specification', () => {
    expect(tracingOf({})).toMatchObject({
      protocol: 'http/protobuf',
      timeoutMs: 10_000,
      sampler: 'parentbased_always_on',
      samplerArg: 1,
      queueSize: 2_048,
      batchSize: 512,
      delayMs: 5_000,
      exportTimeoutMs: 30_000,
      trustClients: 'off',
    });
  });

  it('read lists of keys and values, percent-encoded', () => {
    const { headers, resourceAttributes } = tracingOf({
      OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20a%2Cb, x-team = blue ,',
      OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=prod,empty=',
    });
    expect(headers).toEqual({ authorization: 'Bearer a,b', 'x-team': 'blue' });
    expect(resourceAttributes).toEqual({ 'deployment.environment.name': 'prod', empty: '' });
  });

  it('say that gRPC is not spoken', () => {
    expect(faultsOf({ OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' })[0]).toMatch(/^OTEL_EXPORTER_OTLP_PROTOCOL .*gRPC is not/);
    expect(faultsOf({ OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'grpc' })[0]).toMatch(/gRPC is not supported/);
  });

  it.each<Environment>([
    { OTEL_TRACES_EXPORTER: 'zipkin' },
    { OTEL_EXPORTER_OTLP_CERTIFICATE: 'no/such/file' },
    { OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE: 'package.json' },
    { OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4318' },
    { OTEL_EXPORTER_OTLP_TIMEOUT: '0' },
    { OTEL_TRACES_SAMPLER: 'jaeger_remote' },
    { OTEL_TRACES_SAMPLER_ARG: '1.5' },
    { OTEL_TRACES_SAMPLER_ARG: 'half' },
    { OTEL_RESOURCE_ATTRIBUTES: 'no pair' },
    { OTEL_RESOURCE_ATTRIBUTES: 'bad=%zz' },
    { OTEL_BSP_MAX_QUEUE_SIZE: '10', OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '11' },
  ])('refuse %j', (environment) => {
    expect(faultsOf(environment)).toHaveLength(1);
  });

  it('never show a header, which may be a secret', () => {
    const [fault] = faultsOf({ OTEL_EXPORTER_OTLP_HEADERS: 'authorization=hunter2%0a' });
    expect(fault).toMatch(/^OTEL_EXPORTER_OTLP_HEADERS must be headers .*\(not shown\)$/);
  });
});
