import { Module, UseGuards, type CanActivate } from '@nestjs/common';
import { ApplicationConfig } from '@nestjs/core';
import { MessageBody, SubscribeMessage } from '@nestjs/websockets';
import { trace } from '@opentelemetry/api';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Roles } from '../../src/access/guards/roles.js';
import { RealtimeGateway } from '../../src/dispatch/realtime-gateway.js';
import { Traces } from '../../src/protocol/traces.js';
import { CertificateFolder, makeCertificate } from '../support/certificates.js';
import { eventually } from '../support/eventually.js';
import { freePort } from '../support/free-port.js';
import { OtlpCollector } from '../support/otlp-collector.js';
import { Scrape } from '../support/scrape.js';
import { connect, open } from '../support/test-client.js';
import { startTestServer } from '../support/test-server.js';

const CLIENT = { traceId: '4bf92f3577b34da6a3ce929d0e0e4736', spanId: '00f067aa0ba902b7' };
const SAMPLED = `00-${CLIENT.traceId}-${CLIENT.spanId}-01`;

class NobodyMay implements CanActivate {
  canActivate(): boolean {
    return false;
  }
}

/** Of no kind that the dispatcher knows: its handler is called by Nest. */
class EveryoneMay implements CanActivate {
  canActivate(): boolean {
    return true;
  }
}

@RealtimeGateway()
class WorkGateway {
  @SubscribeMessage('work')
  async work(@MessageBody() data: unknown): Promise<unknown> {
    await pause(1);
    return trace.getTracer('application').startActiveSpan('step', (span) => {
      span.end();
      return data;
    });
  }

  @SubscribeMessage('break')
  break(): never {
    throw new Error('broken by us');
  }

  @Roles('ADMIN')
  @SubscribeMessage('govern')
  govern(): void {}

  @UseGuards(NobodyMay)
  @SubscribeMessage('locked')
  locked(): void {}

  @UseGuards(EveryoneMay)
  @SubscribeMessage('called-by-nest')
  calledByNest(): string | undefined {
    return trace.getActiveSpan()?.spanContext().spanId;
  }
}

@Module({ providers: [WorkGateway, NobodyMay, EveryoneMay] })
class Work {}

describe('tracing that is off', () => {
  it('is no part of the application: no interceptor, and nothing for the stages to ask', async () => {
    await using server = await startTestServer({
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9',
      OTEL_SDK_DISABLED: 'true',
    });
    const config = server.app.get(ApplicationConfig, { strict: false });
    expect([...config.getGlobalInterceptors(), ...config.getGlobalRequestInterceptors()]).toEqual([]);
    expect(() => server.app.get(Traces, { strict: false })).toThrow();
  });
});

describe('websocket.message', () => {
  it('has what became of every message, also of one that came to no handler', async () => {
    await using collector = await OtlpCollector.start();
    await using server = await startTestServer({ ...collector.environment, MESSAGE_RATE: '1', MESSAGE_BURST: '9' }, [
      Work,
    ]);
    await using client = await connect(server.url);
    const sent = [
      { type: 'work', id: 1 },
      { type: 'break', id: 2 },
      { type: 'govern', id: 3 },
      { type: 'locked', id: 4 },
      { type: 'nobody-knows \u001b[2J eyJhbGciOi.e30.c2ln', id: 5 },
      { type: 'echo', id: 6, enc: 'fernet', data: 'x' },
      { type: 'subscribe', id: 7, data: {} },
      { type: 'echo', id: 8, v: 2 },
    ];
    for (const message of [...sent.map((each) => JSON.stringify(each)), 'no json', '{"type":"echo","id":9}'])
      client.send(message);
    const answers = new Map<unknown, unknown>();
    while (answers.size < 10) {
      const { id, code = 'ok' } = await client.next();
      answers.set(id, code);
    }
    await eventually('a span for each', () => collector.named('websocket.message').length === 10);
    const spans = collector.named('websocket.message');
    const told = spans.map(({ attributes, status }) => [
      attributes['messaging.message.id'],
      attributes['gatehouse.outcome'],
      status.code,
    ]);
    expect(new Map(told.map(([id, outcome]) => [id, outcome]))).toEqual(
      new Map([...answers].map(([id, code]) => [typeof id === 'number' ? String(id) : undefined, code])),
    );
    expect(new Set(answers.values())).toEqual(
      new Set([
        'ok',
        'INTERNAL_ERROR',
        'FORBIDDEN',
        'UNKNOWN_MESSAGE_TYPE',
        'DECRYPTION_FAILED',
        'VALIDATION_FAILED',
        'UNSUPPORTED_VERSION',
        'INVALID_MESSAGE_FORMAT',
        'RATE_LIMIT_EXCEEDED',
      ]),
    );
    const failed = spans.filter(({ status }) => status.code === 2);
    expect(failed.map(({ attributes }) => attributes['gatehouse.message.type'])).toEqual(['break']);
    expect(failed[0]?.events[0]?.attributes['exception.message']).toBe('broken by us');
    const unknown = spans.find(({ attributes }) => attributes['messaging.message.id'] === '5');
    expect(unknown?.attributes['gatehouse.message.type']).toBe('nobody-knows \\u{1b}[2J (token)');
  });

  it('is the parent of the spans that a handler makes, and named in the answer', async () => {
    await using collector = await OtlpCollector.start();
    await using server = await startTestServer(collector.environment, [Work]);
    await using client = await connect(server.url);
    client.send({ type: 'work', id: 1, trace: SAMPLED });
    client.send({ type: 'govern', id: 2 });
    client.send({ type: 'called-by-nest', id: 3 });
    const [answer, error, byNest] = [await client.next(), await client.next(), await client.next()];
    const step = await collector.next('step');
    const message = await collector.next('websocket.message', ({ spanId }) => spanId === step.parentSpanId);
    expect(message).toMatchObject({ traceId: CLIENT.traceId, parentSpanId: CLIENT.spanId });
    expect(answer['trace']).toBe(message.traceparent);
    expect(byNest['trace']).toContain(byNest['data']);
    // A guard refused it before there was anything to tell of.
    expect(error).not.toHaveProperty('trace');
  });

  it('begins a trace of its own where `trace` is none', async () => {
    await using collector = await OtlpCollector.start();
    await using server = await startTestServer(collector.environment);
    await using client = await connect(server.url);
    const none = [
      'x',
      SAMPLED.slice(1),
      `${SAMPLED}0`,
      SAMPLED.toUpperCase(),
      SAMPLED.replace('00-', 'ff-'),
      `00-${'0'.repeat(32)}-${CLIENT.spanId}-01`,
      `00-${CLIENT.traceId}-${'0'.repeat(16)}-01`,
    ];
    for (const [id, text] of none.entries()) client.send({ type: 'echo', id, trace: text });
    for (const _ of none) expect(await client.next()).toMatchObject({ type: 'echo_reply' });
    await eventually('a span for each', () => collector.named('websocket.message').length === none.length);
    const traces = collector.named('websocket.message').map(({ traceId, parentSpanId }) => {
      expect(parentSpanId).toBeUndefined();
      return traceId;
    });
    expect(new Set(traces).size).toBe(none.length);
    expect(traces).not.toContain(CLIENT.traceId);
  });
});

describe('sampling', () => {
  it('is not decided by clients, unless they are trusted', async () => {
    await using collector = await OtlpCollector.start();
    const nothing = {
      ...collector.environment,
      OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
      OTEL_TRACES_SAMPLER_ARG: '0',
    };
    await using suspicious = await startTestServer(nothing);
    await using trusting = await startTestServer({ ...nothing, TRACE_TRUST_CLIENTS: 'on' });
    const answers = [];
    for (const { url } of [suspicious, trusting]) {
      await using client = await connect(url, { headers: { traceparent: SAMPLED } });
      client.send({ type: 'echo', id: 1, trace: SAMPLED });
      client.send({ type: 'echo', id: 2 });
      answers.push((await client.next())['trace'], (await client.next())['trace']);
    }
    await eventually('the spans of one', () => collector.spans.length === 2);
    const recorded = collector.named('websocket.message')[0]?.traceparent;
    expect(answers).toEqual([undefined, undefined, recorded, undefined]);
    expect(collector.spans.map(({ name }) => name).toSorted()).toEqual(['websocket.connection', 'websocket.message']);
  });
});

describe('websocket.connection', () => {
  it('tells why an upgrade was refused', async () => {
    await using collector = await OtlpCollector.start();
    await using server = await startTestServer(collector.environment);
    await using client = open(server.url, { claims: false, headers: { traceparent: SAMPLED } });
    await client.closed;
    const span = await collector.next('websocket.connection');
    expect(span).toMatchObject({ traceId: CLIENT.traceId, attributes: { 'gatehouse.refusal': 'unauthenticated' } });
    expect(span.attributes).not.toHaveProperty('user.hash');
  });
});

describe('a collector', () => {
  it('gets Protocol Buffers unless JSON is asked for, over TLS, with the headers that are set', async () => {
    const certificate = await makeCertificate();
    using folder = new CertificateFolder(certificate);
    await using collector = await OtlpCollector.start(certificate);
    await using server = await startTestServer({
      ...collector.environment,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf',
      OTEL_EXPORTER_OTLP_CERTIFICATE: folder.environment.TLS_CERT_FILE,
      OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20secret',
      OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip',
    });
    await using client = await connect(server.url);
    await client.request('echo', 1);
    await eventually('an export', () => collector.requests.length > 0);
    expect(collector.requests[0]?.headers).toMatchObject({
      'content-type': 'application/x-protobuf',
      'content-encoding': 'gzip',
      authorization: 'Bearer secret',
    });
  });

  it('that is dead costs spans, which are counted and told, and nothing else', async () => {
    const server = await startTestServer({
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${await freePort()}`,
      OTEL_EXPORTER_OTLP_TIMEOUT: '50',
      OTEL_BSP_SCHEDULE_DELAY: '10',
      OTEL_BSP_MAX_QUEUE_SIZE: '2',
      OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '2',
    });
    const client = await connect(server.url);
    const count = async (reason: string): Promise<number> =>
      (await Scrape.of(server)).value(`gatehouse_spans_dropped_total{reason="${reason}"}`);
    await eventually('both kinds of loss', async () => {
      for (let id = 0; id < 10; id += 1) client.send({ type: 'echo', id });
      for (let id = 0; id < 10; id += 1) expect(await client.next()).toMatchObject({ id });
      return (await count('queue_full')) > 0 && (await count('export_failed')) > 0;
    });
    expect(server.logLines).toContainEqual(
      expect.objectContaining({ msg: 'spans could not be exported', level: 'warn' }),
    );
    await client[Symbol.asyncDispose]();
    await server.close();
  });

  it('that never answers does not hold the end up', async () => {
    const collector = createServer(() => {});
    await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
    const endpoint = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`;
    const server = await startTestServer({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_BSP_SCHEDULE_DELAY: '10' });
    const client = await connect(server.url);
    await client.request('echo', 1);
    await client[Symbol.asyncDispose]();
    await server.close();
    collector.closeAllConnections();
    collector.close();
  });
});
