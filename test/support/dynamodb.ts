import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  BatchWriteCommand,
  DeleteCommand,
  DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  ScanCommand,
} from '@aws-sdk/lib-dynamodb';
import dynalite from 'dynalite';
import { once } from 'node:events';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import type { AwsService } from '../../src/serverless/aws/aws-clients.js';
import type { Tables } from '../../src/serverless/tables.js';
import { TABLE_DEFINITIONS } from './serverless-tables.js';

// The SDK warns at the oldest Node that this repository supports.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';

type Body = Record<string, unknown>;

/**
 * What DynamoDB does with one request, in place of carrying it out. `lose`: it is carried out, and the answer is an
 * error. `stale`: nothing is found, as if it had been written only now. `break`: the connection breaks. `refuse`: a fault
 * that no later try mends.
 */
export type FaultKind = 'throttle' | 'in part' | 'lose' | 'stale' | 'break' | 'refuse' | undefined;
export type Fault = (operation: string, body: Body) => FaultKind | Promise<FaultKind>;

/** Capacity units and calls, as DynamoDB bills them. */
export interface Consumption {
  reads: number;
  writes: number;
  calls: number;
}

const CREDENTIALS = { accessKeyId: 'test', secretAccessKey: 'test' };
const READING = new Set(['GetItem', 'Query', 'BatchGetItem']);

/** DynamoDB in this process: dynalite, behind a proxy that counts and makes faults. */
export class TestDynamo implements AsyncDisposable {
  readonly consumed: Consumption = { reads: 0, writes: 0, calls: 0 };
  /** Asked about every request. */
  fault: Fault | undefined;
  /** Tries of one call, for functions that are started from now on. */
  tries = 1;
  private client: DynamoDBDocumentClient | undefined;
  private readonly store = dynalite({ createTableMs: 0, deleteTableMs: 0 });
  private readonly proxy: Server;

  private constructor() {
    this.proxy = createServer((request, response) => void this.forward(request, response));
  }

  static async start(): Promise<TestDynamo> {
    const dynamo = new TestDynamo();
    // A starved process would use a connection that the server has just closed because it was idle.
    for (const server of [dynamo.store, dynamo.proxy]) server.keepAliveTimeout = 0;
    await once(dynamo.store.listen(0, '127.0.0.1'), 'listening');
    await once(dynamo.proxy.listen(0, '127.0.0.1'), 'listening');
    return dynamo;
  }

  get service(): AwsService {
    // The SDK takes it, although the handler's option does not name it.
    const tries: object = { maxAttempts: this.tries };
    return { endpoint: urlOf(this.proxy), region: 'eu-central-1', credentials: CREDENTIALS, ...tries };
  }

  /** Makes the tables of template.yaml, under names of their own. */
  async makeTables(prefix: string): Promise<Tables> {
    const client = new DynamoDBClient({ ...this.service });
    const names = { connections: '', subscriptions: '', channels: '' };
    for (const [name, definition] of Object.entries(TABLE_DEFINITIONS)) {
      const TableName = `${prefix}-${name}`;
      await client.send(new CreateTableCommand({ ...definition, TableName, BillingMode: 'PAY_PER_REQUEST' }));
      names[name as keyof Tables] = TableName;
    }
    client.destroy();
    return names;
  }

  async countRows(table: string): Promise<number> {
    const { Count } = await this.documents.send(new ScanCommand({ TableName: table, Select: 'COUNT' }));
    return Count ?? 0;
  }

  async deleteRow(table: string, key: Body): Promise<void> {
    await this.documents.send(new DeleteCommand({ TableName: table, Key: key }));
  }

  async putRow(table: string, item: Body): Promise<void> {
    await this.documents.send(new PutCommand({ TableName: table, Item: item }));
  }

  async putRows(table: string, items: readonly Body[]): Promise<void> {
    for (let start = 0; start < items.length; start += 25) {
      const requests = items.slice(start, start + 25).map((Item) => ({ PutRequest: { Item } }));
      await this.documents.send(new BatchWriteCommand({ RequestItems: { [table]: requests } }));
    }
  }

  /** Changes fields of an attribute that is an object. */
  async change(table: string, key: Body, attribute: string, change: object): Promise<void> {
    const { Item = {} } = await this.documents.send(new GetCommand({ TableName: table, Key: key }));
    await this.putRow(table, { ...Item, [attribute]: { ...(Item[attribute] as object), ...change } });
  }

  /** Forgets what was counted. */
  reset(): void {
    Object.assign(this.consumed, { reads: 0, writes: 0, calls: 0 });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of [this.proxy, this.store]) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  }

  /** Past the proxy: neither counted nor faulty. */
  private get documents(): DynamoDBDocumentClient {
    return (this.client ??= DynamoDBDocumentClient.from(
      new DynamoDBClient({ ...this.service, maxAttempts: 3, endpoint: urlOf(this.store) }),
    ));
  }

  private async forward(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const operation = String(request.headers['x-amz-target']).replace(/^.*\./, '');
    const body = JSON.parse(await textOf(request)) as Body;
    this.consumed.calls += 1;
    const fault = await this.fault?.(operation, body);
    if (fault === 'throttle') return fail(response, 'ProvisionedThroughputExceededException');
    if (fault === 'break') return void request.socket.destroy();
    if (fault === 'refuse') return fail(response, 'ResourceNotFoundException');
    if (fault === 'stale') return reply(response, 200, { Items: [], Count: 0, ScannedCount: 0 });
    const rest = fault === 'in part' ? takeHalf(body) : undefined;
    const isCounted = READING.has(operation) || /^(Put|Update|Delete|BatchWrite)/.test(operation);
    if (isCounted) body.ReturnConsumedCapacity = 'TOTAL';
    const answer = await carriedOut(this.store, { headers: request.headers, body: JSON.stringify(body) });
    const result = JSON.parse(answer.text) as Body;
    if (isCounted) this.count(operation, result);
    if (rest !== undefined) result.UnprocessedItems = rest;
    if (fault === 'lose') return fail(response, 'InternalServerError', 500);
    reply(response, answer.status, result);
  }

  private count(operation: string, { ConsumedCapacity: consumed }: Body): void {
    const each = (Array.isArray(consumed) ? consumed : [consumed]) as ({ CapacityUnits?: number } | undefined)[];
    const units = each.reduce((sum, part) => sum + (part?.CapacityUnits ?? 0), 0);
    this.consumed[READING.has(operation) ? 'reads' : 'writes'] += units;
  }
}

function fail(response: ServerResponse, name: string, status = 400): void {
  reply(response, status, { ['__type']: `com.amazonaws.dynamodb.v20120810#${name}`, message: name });
}

function reply(response: ServerResponse, status: number, body: Body): void {
  response.writeHead(status, { 'content-type': 'application/x-amz-json-1.0' });
  response.end(JSON.stringify(body));
}

interface Carried {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** By dynalite's own handler of requests. Over a connection, each request took twice as long. */
function carriedOut(store: Server, { headers, body }: Carried): Promise<{ status: number; text: string }> {
  return new Promise((resolve) => {
    const request = Object.assign(Readable.from([Buffer.from(body)]), { method: 'POST', url: '/', headers });
    const response = {
      statusCode: 200,
      setHeader: () => {},
      end: (text: string) => resolve({ status: response.statusCode, text }),
    };
    store.emit('request', request, response);
  });
}

/** Leaves half of a batch undone, rounded up. Returns that half. */
function takeHalf(body: Body): Body {
  const requests = body.RequestItems as Record<string, unknown[]>;
  const [table = '', items = []] = Object.entries(requests)[0] ?? [];
  const kept = items.slice(0, Math.floor(items.length / 2));
  const rest = { [table]: items.slice(kept.length) };
  // An empty batch is refused.
  requests[table] = kept.length === 0 ? items.slice(0, 1) : kept;
  return rest;
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

function urlOf(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
