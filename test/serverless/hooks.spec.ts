import { Inject, Injectable, Module, Scope } from '@nestjs/common';
import { REQUEST } from '@nestjs/core';
import { MessageBody, SubscribeMessage } from '@nestjs/websockets';
import { RealtimeGateway } from 'gatehouse';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { TestClient } from '../../src/testing/test-client.js';
import { TestDynamo } from '../support/dynamodb.js';
import { eventually } from '../support/eventually.js';
import { startFunction, type TestFunction } from '../support/serverless-server.js';
import { open } from '../support/test-client.js';
import { mintToken } from '../support/test-server.js';

const noted: unknown[] = [];

interface Closable {
  close(code: number, reason: string): void;
}

/** As a gateway that writes to a database would. */
@RealtimeGateway()
class SlowGateway {
  async handleConnection(client: Closable, { url = '' }: IncomingMessage): Promise<void> {
    if (url.includes('never=')) return new Promise(() => {});
    await wait(50);
    noted.push('connected');
    if (url.includes('refuse=')) client.close(4403, 'not today');
  }

  async handleDisconnect(_client: unknown, { code, reason }: { code: number; reason: string }): Promise<void> {
    await wait(50);
    noted.push(`disconnected ${code} ${reason}`.trim());
  }

  @SubscribeMessage('noted')
  noted(@MessageBody() _data: unknown): unknown {
    return [...noted];
  }
}

@RealtimeGateway()
class FailingGateway {
  static isFailing = false;

  handleConnection(): void {
    if (FailingGateway.isFailing) throw new Error('thrown on connect');
  }

  async handleDisconnect(): Promise<void> {
    if (FailingGateway.isFailing) await Promise.reject(new Error('rejected on disconnect'));
  }
}

@Injectable({ scope: Scope.REQUEST })
class Own {
  constructor(@Inject(REQUEST) readonly connection: unknown) {}
}

@RealtimeGateway()
class PerConnectionGateway {
  constructor(private readonly own: Own) {}

  async handleDisconnect(client: unknown): Promise<void> {
    await wait(60);
    noted.push(`its own: ${String(client === this.own.connection)}`);
  }
}

@Module({ providers: [SlowGateway, FailingGateway, Own, PerConnectionGateway] })
class HooksFeature {}

const OWN = 'its own: true';

describe('handleConnection and handleDisconnect in a function', () => {
  let dynamo: TestDynamo;
  let fn: TestFunction;
  beforeAll(async () => {
    dynamo = await TestDynamo.start();
    fn = await startFunction({ dynamo, feature: HooksFeature });
  });
  beforeEach(() => {
    noted.length = 0;
  });
  afterEach(() => {
    dynamo.fault = undefined;
  });
  afterAll(async () => {
    await fn[Symbol.asyncDispose]();
    await dynamo[Symbol.asyncDispose]();
  });

  const join = (query = ''): Promise<TestClient> => TestClient.connect(`${fn.url}${query}`, mintToken({}));
  const rows = (): Promise<number> => dynamo.countRows(fn.tables.connections);
  /** Until API Gateway has told of the close, and the invocation has ended. */
  const ended = async (): Promise<void> => {
    await eventually('the row is gone', async () => (await rows()) === 0);
    await fn.gateway.idle();
  };

  it('are done before the client may send, and before the invocation ends', async () => {
    const client = await join();
    expect(noted).toEqual(['connected']);
    await client[Symbol.asyncDispose]();
    await ended();
    expect(noted).toEqual(['connected', expect.stringMatching(/^disconnected 1/), OWN]);
  });

  it('are called once for a connection that a post finds gone', async () => {
    const failing = fn.outcome('failed');
    const client = await join();
    await client.request('subscribe', { channel: 'room:gone' });
    const [id = ''] = fn.gateway.connectionIds;
    fn.gateway.deaf.add(id);
    client.send({ type: 'publish', data: { channel: 'room:gone', data: 1 } });
    await ended();
    expect(noted).toEqual(['connected', 'disconnected 1006', OWN]);
    await client[Symbol.asyncDispose]();
    await eventually('$disconnect was served', () => fn.gateway.connectionIds.length === 0);
    await fn.gateway.idle();
    expect(noted).toHaveLength(3);
    expect(fn.outcome('failed')).toBe(failing);
  });

  it('go on in the other gateways if one throws, which is counted and logged', async () => {
    FailingGateway.isFailing = true;
    const client = await join();
    await client.request('subscribe', { channel: 'room:failing', presence: true });
    await client[Symbol.asyncDispose]();
    await ended();
    FailingGateway.isFailing = false;
    expect(noted).toHaveLength(3);
    await fn.counted('hook_failed', 2);
    expect(fn.outcome('failed')).toBe(0);
    expect(await dynamo.countRows(fn.tables.subscriptions)).toBe(0);
    const failures = fn.logLines.filter(({ msg }) => msg === 'handler failed');
    expect(failures.map(({ where }) => where)).toEqual([
      'FailingGateway.handleConnection',
      'FailingGateway.handleDisconnect',
    ]);
  });

  it('may refuse the client: a close in handleConnection answers 403, and leaves no row', async () => {
    const refused = open(`${fn.url}?refuse=1&token=${mintToken({})}`, { claims: false });
    const [error] = (await once(refused.socket, 'error')) as [Error];
    expect(error.message).toContain('403');
    await fn.gateway.idle();
    expect(await rows()).toBe(0);
    expect(noted).toEqual(['connected', 'disconnected 4403 not today', OWN]);
    await fn.counted('refused', 1);
  });

  it('are waited for no longer than the invocation lasts, which is counted', async () => {
    await using other = await startFunction({ dynamo, feature: HooksFeature, remainingMs: 1_000 });
    const client = await TestClient.connect(`${other.url}?never=1`, mintToken({}));
    await other.counted('out_of_time', 1);
    await client[Symbol.asyncDispose]();
    await other.counted('out_of_time', 2);
    // In a process of Lambda they would go on with the next event.
    await eventually('they are done', () => noted.includes(OWN));
  });

  it('are called although DynamoDB is busy for a while', async () => {
    const client = await join();
    let left = 3;
    dynamo.fault = (operation) => (operation === 'DeleteItem' && left-- > 0 ? 'throttle' : undefined);
    await client[Symbol.asyncDispose]();
    await ended();
    expect(noted).toHaveLength(3);
    expect(fn.outcome('rows_left')).toBe(0);
  });

  it('come with the next post if DynamoDB stays busy, and the row that is left is counted', async () => {
    const client = await join();
    const [id = ''] = fn.gateway.connectionIds;
    dynamo.fault = (operation) => (operation === 'DeleteItem' ? 'throttle' : undefined);
    await client[Symbol.asyncDispose]();
    await fn.counted('rows_left', 1);
    expect(noted).toEqual(['connected']);
    dynamo.fault = undefined;
    await using other = await join();
    await other.request('send_message', { targetUserId: 'alice', message: 'are you there' });
    await fn.gateway.idle();
    expect(fn.gateway.connectionIds).not.toContain(id);
    expect(noted).toEqual(['connected', 'connected', 'disconnected 1006', OWN]);
  });
});
