import { ENVELOPE_VERSION, ERRORS } from '@gatehouse/protocol';
import { keyOf, type ContractModel, type MessageKind, type RequestModel } from '../contract-model.js';
import { SCHEMAS, type JsonSchema } from '../schemas/json-schema.js';
import { ENVELOPES, ownPart } from './envelopes.js';

interface Reference {
  readonly $ref: string;
}

/** A message of the document. */
export interface AsyncApiMessage {
  readonly name: string;
  readonly title: string;
  readonly payload: JsonSchema;
  readonly [field: string]: unknown;
}

/** An operation of the document: the server receives requests, and sends events and publications. */
export interface AsyncApiOperation {
  readonly action: 'receive' | 'send';
  readonly channel: Reference;
  readonly messages: readonly Reference[];
  readonly reply?: { readonly channel: Reference; readonly messages: readonly Reference[] };
  /** Roles of which the session needs one; a list of such lists where several rules apply. */
  readonly 'x-roles'?: readonly string[] | readonly (readonly string[])[];
  readonly 'x-signed-in'?: true;
  /** Whether the message needs an `id` and a `ts`, and is carried out once only. */
  readonly 'x-once'?: true;
  readonly [field: string]: unknown;
}

/** An AsyncAPI 3.0 document. */
export interface AsyncApiDocument {
  readonly asyncapi: '3.0.0';
  readonly channels: Readonly<Record<string, { readonly address: string; readonly [field: string]: unknown }>>;
  readonly operations: Readonly<Record<string, AsyncApiOperation>>;
  readonly components: {
    readonly messages: Readonly<Record<string, AsyncApiMessage>>;
    readonly schemas: Readonly<Record<string, JsonSchema>>;
    readonly [field: string]: unknown;
  };
  readonly [field: string]: unknown;
}

const DESCRIPTION =
  'Every message that clients and this server exchange. Data of a reply, an event or a publication is what the schema says, ' +
  'unless `enc` is there: then it is a token that holds it.';
const CORRELATION = { location: '$message.payload#/id' };
const TOKEN = { $ref: '#/components/securitySchemes/token' };

/** The contract as an AsyncAPI 3.0 document. */
export function asyncApiOf(model: ContractModel): AsyncApiDocument {
  const paths = [model.homePath, ...new Set(model.requests.map(({ path }) => path))];
  const channels = Object.fromEntries(
    [...new Set(paths)].map((path) => [channelKey(path, model), channelOf(path, model)]),
  );
  return {
    asyncapi: '3.0.0',
    info: { title: 'Gatehouse', version: String(ENVELOPE_VERSION), description: DESCRIPTION },
    defaultContentType: 'application/json',
    channels,
    operations: operationsOf(model),
    components: {
      messages: messagesOf(model),
      schemas: { ...ENVELOPES, ...model.schemas },
      securitySchemes: { token: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
    },
  };
}

/** WS_PATH is `ws`, whatever it is set to; other paths are called after themselves. */
function channelKey(path: string, { homePath }: ContractModel): string {
  return path === homePath ? 'ws' : `ws${path.replace(/[^\w-]/g, '_')}`;
}

function channelOf(path: string, model: ContractModel) {
  const ofRequests = model.requests
    .filter((request) => request.path === path)
    .flatMap(({ type }) => [keyOf(type, 'request'), keyOf(type, 'reply')]);
  const keys = [...ofRequests, ...pushKeys(model), 'error'];
  return {
    address: path,
    description: 'Tokens come in the header Authorization, in the subprotocol `bearer.<token>`, or in the query.',
    messages: Object.fromEntries(keys.map((key) => [key, { $ref: `#/components/messages/${key}` }])),
    bindings: {
      ws: {
        method: 'GET',
        query: { type: 'object', properties: { token: { type: 'string' } } },
        bindingVersion: '0.1.0',
      },
    },
  };
}

function pushKeys({ events, publications }: ContractModel): string[] {
  return [
    ...events.map(({ type }) => keyOf(type, 'event')),
    ...publications.map(({ namespace }) => keyOf(namespace, 'publication')),
  ];
}

function operationsOf(model: ContractModel): Record<string, AsyncApiOperation> {
  const requests = model.requests.map((request) => [
    operationKey(request, model),
    requestOperation(request, channelKey(request.path, model)),
  ]);
  const pushes = pushKeys(model).map((key) => [
    key,
    { action: 'send', channel: { $ref: '#/channels/ws' }, messages: [messageIn('ws', key)] },
  ]);
  return Object.fromEntries([...requests, ...pushes]) as Record<string, AsyncApiOperation>;
}

function operationKey({ type, path }: RequestModel, model: ContractModel): string {
  const key = keyOf(type, 'request');
  return path === model.homePath ? key : `${channelKey(path, model)}.${key}`;
}

function requestOperation({ type, rules, errors }: RequestModel, channel: string): AsyncApiOperation {
  const { roles, signedIn, cost, isOnce } = rules;
  const [demand = []] = roles;
  return {
    action: 'receive',
    channel: { $ref: `#/channels/${channel}` },
    messages: [messageIn(channel, keyOf(type, 'request'))],
    reply: {
      channel: { $ref: `#/channels/${channel}` },
      messages: [messageIn(channel, keyOf(type, 'reply')), messageIn(channel, 'error')],
    },
    ...((roles.length > 0 || signedIn) && { security: [TOKEN] }),
    ...(roles.length > 0 && { 'x-roles': roles.length === 1 ? demand : roles }),
    ...(signedIn && { 'x-signed-in': true as const }),
    'x-cost': cost,
    ...(isOnce && { 'x-once': true as const }),
    ...(errors.length > 0 && { 'x-errors': errors }),
  };
}

function messageIn(channel: string, key: string): Reference {
  return { $ref: `#/channels/${channel}/messages/${key}` };
}

function messagesOf({ requests, events, publications }: ContractModel): Record<string, AsyncApiMessage> {
  const messages: Record<string, AsyncApiMessage> = {};
  for (const { type, data, reply } of requests) {
    messages[keyOf(type, 'request')] = messageOf(type, 'request', data);
    messages[keyOf(type, 'reply')] = messageOf(`${type}_reply`, 'reply', reply);
  }
  for (const { type, data } of events) messages[keyOf(type, 'event')] = messageOf(type, 'event', data);
  for (const { namespace, data } of publications) {
    const message = messageOf('message', 'publication', data);
    const title = `Publication in ${namespace}:*`;
    messages[keyOf(namespace, 'publication')] = { ...message, title, 'x-channel': `${namespace}:*` };
  }
  messages.error = errorMessage();
  return messages;
}

function messageOf(name: string, kind: MessageKind, data: JsonSchema | undefined): AsyncApiMessage {
  const envelope = kind === 'request' ? 'RequestEnvelope' : 'ServerEnvelope';
  const isAnswer = kind === 'request' || kind === 'reply';
  return {
    name,
    title: name,
    ...(isAnswer && { correlationId: CORRELATION }),
    payload: { allOf: [{ $ref: `${SCHEMAS}${envelope}` }, ownPart(name, data)] },
  };
}

function errorMessage(): AsyncApiMessage {
  return {
    name: 'error',
    title: 'error',
    correlationId: CORRELATION,
    payload: { $ref: `${SCHEMAS}ErrorEnvelope` },
    'x-codes': ERRORS,
  };
}
