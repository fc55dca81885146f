import type { HandlerRules } from './handler-rules.js';
import type { JsonSchema } from './schemas/json-schema.js';

/** A message that clients send. */
export interface RequestModel {
  readonly type: string;
  readonly path: string;
  /** Undefined: it carries no data. An empty schema: anything. */
  readonly data: JsonSchema | undefined;
  readonly reply: JsonSchema | undefined;
  /** The application's own codes. */
  readonly errors: readonly string[];
  readonly rules: HandlerRules;
}

/** A message that the server sends by itself. */
export interface EventModel {
  readonly type: string;
  readonly data: JsonSchema;
}

/** What is published in the channels of a namespace. */
export interface PublicationModel {
  readonly namespace: string;
  readonly data: JsonSchema;
}

/** Everything that clients and server say to each other. */
export interface ContractModel {
  /** WS_PATH. */
  readonly homePath: string;
  readonly requests: readonly RequestModel[];
  readonly events: readonly EventModel[];
  readonly publications: readonly PublicationModel[];
  /** Of message classes, by name. */
  readonly schemas: Readonly<Record<string, JsonSchema>>;
}

/** How a message stands in documents and file names: one type may be a request and an event. */
export type MessageKind = 'request' | 'reply' | 'event' | 'publication';

/** `chat.join.request`: unlike a type, which may have any characters, it fits into a reference and a file name. */
export function keyOf(type: string, kind: MessageKind): string {
  const plain = type.replace(/[^\w.-]/g, (other) => `_${other.codePointAt(0)?.toString(16) ?? ''}_`);
  return `${plain}.${kind}`;
}
