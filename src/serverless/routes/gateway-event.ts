/** The part of an event of a WebSocket API that the handler reads. */
export interface GatewayEvent {
  readonly requestContext: {
    readonly eventType: 'CONNECT' | 'MESSAGE' | 'DISCONNECT';
    readonly routeKey: string;
    readonly connectionId: string;
    readonly domainName: string;
    readonly stage: string;
    /** Milliseconds since 1970. */
    readonly connectedAt?: number;
    readonly identity?: { readonly sourceIp?: string };
    readonly disconnectStatusCode?: number;
    readonly disconnectReason?: string;
  };
  readonly headers?: Readonly<Record<string, string>> | null;
  readonly queryStringParameters?: Readonly<Record<string, string>> | null;
  readonly body?: string | null;
  readonly isBase64Encoded?: boolean;
}

/** What the function answers. API Gateway reads it at $connect alone. */
export interface GatewayAnswer {
  readonly statusCode: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

const TYPES: ReadonlySet<unknown> = new Set(['CONNECT', 'MESSAGE', 'DISCONNECT']);

export function isGatewayEvent(event: unknown): event is GatewayEvent {
  if (typeof event !== 'object' || event === null) return false;
  const { requestContext } = event as { readonly requestContext?: unknown };
  if (typeof requestContext !== 'object' || requestContext === null) return false;
  const { eventType, routeKey, connectionId, domainName, stage } = requestContext as Record<string, unknown>;
  const texts = [routeKey, connectionId, domainName, stage];
  if (!TYPES.has(eventType) || !texts.every((text) => typeof text === 'string' && text !== '')) return false;
  const { body, headers, queryStringParameters } = event as Record<string, unknown>;
  return isOfTexts([body ?? '']) && isOfTexts(headers) && isOfTexts(queryStringParameters);
}

function isOfTexts(values: unknown): boolean {
  if (values === undefined || values === null) return true;
  return typeof values === 'object' && Object.values(values).every((value) => typeof value === 'string');
}

/** Of the management API of the stage. A custom domain has a path of its own, and needs the option. */
export function endpointOf({ requestContext: { domainName, stage } }: GatewayEvent): string {
  return `https://${domainName}/${stage}`;
}

/** Names in lower case, as Node has them. */
export function headersOf({ headers }: GatewayEvent): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]));
}

/** The target of the request, with the query in which a browser may bring its token. */
export function targetOf({ requestContext: { stage }, queryStringParameters }: GatewayEvent): string {
  return `/${stage}?${new URLSearchParams(queryStringParameters ?? {}).toString()}`;
}

/** The bytes of a message. */
export function bodyOf({ body, isBase64Encoded }: GatewayEvent): Buffer {
  return Buffer.from(body ?? '', isBase64Encoded === true ? 'base64' : 'utf8');
}
