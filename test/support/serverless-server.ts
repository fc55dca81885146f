import type { DynamicModule, Type } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { PassThrough } from 'node:stream';
import type { Environment } from '../../config/settings.js';
import { createHandler } from '../../src/serverless/create-handler.js';
import type { OutcomeName } from '../../src/serverless/outcomes.js';
import type { Tables } from '../../src/serverless/tables.js';
import { TestGateway, type TestGatewayOptions } from './api-gateway.js';
import { TestDynamo } from './dynamodb.js';
import { eventually } from './eventually.js';
import { TEST_ENVIRONMENT } from './test-server.js';

/** The real limits of a second and three would count on a busy machine. */
const PATIENCE_MS = 600_000;

class NoFeature {}

export interface ServerlessSetup extends TestGatewayOptions {
  readonly environment?: Environment;
  readonly feature?: Type | DynamicModule;
  /** A running DynamoDB, which is left running. */
  readonly dynamo?: TestDynamo;
  /** How long a service may take to answer. Default: as long as a busy machine needs. */
  readonly answerMs?: number;
}

export interface TestFunction extends AsyncDisposable {
  readonly url: string;
  readonly gateway: TestGateway;
  readonly dynamo: TestDynamo;
  readonly tables: Tables;
  readonly logLines: Record<string, unknown>[];
  /** How long the handler has waited before it tried again, in milliseconds. */
  readonly waits: number[];
  /** Resolves when the events so far have counted so many. Fails if they never do. */
  counted(name: OutcomeName, count: number): Promise<void>;
  /** What the events so far have counted. */
  outcome(name: OutcomeName): number;
}

/** The handler behind an emulated API Gateway, on tables of its own. */
export async function startFunction(setup: ServerlessSetup = {}): Promise<TestFunction> {
  const dynamo = setup.dynamo ?? (await TestDynamo.start());
  const gateway = await TestGateway.start(setup);
  const tables = await dynamo.makeTables(randomUUID());
  const logLines: Record<string, unknown>[] = [];
  const logOutput = new PassThrough();
  logOutput.on('data', (chunk: Buffer) => {
    for (const line of chunk.toString().trim().split('\n')) logLines.push(JSON.parse(line) as Record<string, unknown>);
  });
  const waits: number[] = [];
  const outcome = (name: OutcomeName): number =>
    logLines.reduce((sum, { outcomes }) => sum + ((outcomes as Record<string, number> | undefined)?.[name] ?? 0), 0);
  const limit = { connectMs: PATIENCE_MS, answerMs: setup.answerMs ?? PATIENCE_MS };
  const handler = createHandler(setup.feature ?? { module: NoFeature }, {
    environment: { ...TEST_ENVIRONMENT, HEARTBEAT_TIMEOUT_MS: '10000', LOG_FORMAT: 'json', ...setup.environment },
    tables,
    services: {
      dynamodb: { ...dynamo.service, ...limit },
      apiGateway: { ...gateway.service, ...limit },
      lambda: { ...gateway.lambda, ...limit },
    },
    logOutput,
    sleep: async (milliseconds) => void waits.push(milliseconds),
  });
  gateway.handler = handler;
  await handler.started;
  return {
    url: gateway.url,
    gateway,
    dynamo,
    tables,
    logLines,
    waits,
    outcome,
    counted: (name, count) => eventually(`${name} is ${count}`, () => outcome(name) === count),
    [Symbol.asyncDispose]: async () => {
      await gateway[Symbol.asyncDispose]();
      await handler.close();
      if (setup.dynamo === undefined) await dynamo[Symbol.asyncDispose]();
    },
  };
}
