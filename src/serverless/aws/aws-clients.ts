import type { ApiGatewayManagementApiClient } from '@aws-sdk/client-apigatewaymanagementapi';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { LambdaClient } from '@aws-sdk/client-lambda';

/** How to reach a service of AWS. What is absent comes from the environment of the function, as the SDK reads it. */
export interface AwsService {
  readonly endpoint?: string;
  readonly region?: string;
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** How long a connection may take to open, in milliseconds. Default: 1,000. */
  readonly connectMs?: number;
  /** How long an answer may take, in milliseconds. Default: 3,000. */
  readonly answerMs?: number;
}

/** The services that the handler calls, for tests and for networks of your own. */
export interface AwsServices {
  readonly dynamodb?: AwsService;
  readonly lambda?: AwsService;
  /** Its endpoint is the one of the event unless it is set. A custom domain needs it. */
  readonly apiGateway?: AwsService;
}

/** Tries of one call to DynamoDB, with the SDK's own waits between them. */
const TABLE_TRIES = 5;
/** Each try of an invocation may start another one: its receivers would get frames twice. */
const INVOKE_TRIES = 2;
/**
 * The SDK waits for ever by default: a function would hang until Lambda ends it, which nothing tells its client. The services
 * answer within tens of milliseconds. All tries of a call end well before the 60 s of the template.
 */
const CONNECT_MS = 1_000;
const ANSWER_MS = 3_000;

/** The clients of the SDK, made when they are first used. A function keeps them from one event to the next. */
export class AwsClients {
  private tables: Promise<DynamoDBDocumentClient> | undefined;
  private functions: Promise<LambdaClient> | undefined;
  private readonly gateways = new Map<string, Promise<ApiGatewayManagementApiClient>>();

  constructor(private readonly services: AwsServices = {}) {}

  dynamodb(): Promise<DynamoDBDocumentClient> {
    return (this.tables ??= makeTables(this.services.dynamodb));
  }

  lambda(): Promise<LambdaClient> {
    return (this.functions ??= makeFunctions(this.services.lambda));
  }

  /** @param endpoint of the stage that the event came from */
  gateway(endpoint: string): Promise<ApiGatewayManagementApiClient> {
    const present = this.gateways.get(endpoint);
    if (present !== undefined) return present;
    const made = makeGateway({ endpoint, ...this.services.apiGateway });
    this.gateways.set(endpoint, made);
    return made;
  }
}

async function makeTables(service: AwsService = {}): Promise<DynamoDBDocumentClient> {
  const [{ DynamoDBClient }, { DynamoDBDocumentClient: Documents }] = await Promise.all([
    import('@aws-sdk/client-dynamodb'),
    import('@aws-sdk/lib-dynamodb'),
  ]);
  const client = new DynamoDBClient({ maxAttempts: TABLE_TRIES, ...limited(service) });
  return Documents.from(client, { marshallOptions: { removeUndefinedValues: true } });
}

async function makeFunctions(service: AwsService = {}): Promise<LambdaClient> {
  const { LambdaClient: Functions } = await import('@aws-sdk/client-lambda');
  return new Functions({ maxAttempts: INVOKE_TRIES, ...limited(service) });
}

/** One try, because the poster backs off itself, and counts. */
async function makeGateway(service: AwsService): Promise<ApiGatewayManagementApiClient> {
  const { ApiGatewayManagementApiClient: Management } = await import('@aws-sdk/client-apigatewaymanagementapi');
  return new Management({ maxAttempts: 1, ...limited(service) });
}

function limited({ connectMs = CONNECT_MS, answerMs = ANSWER_MS, ...service }: AwsService) {
  const requestHandler = { connectionTimeout: connectMs, requestTimeout: answerMs, throwOnRequestTimeout: true };
  return { ...service, requestHandler };
}
