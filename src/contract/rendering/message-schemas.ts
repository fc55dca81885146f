import { keyOf, type ContractModel, type MessageKind } from '../contract-model.js';
import { referenceIn, withReferences, type JsonSchema } from '../schemas/json-schema.js';
import { ENVELOPES, ownPart } from './envelopes.js';

const DIALECT = 'http://json-schema.org/draft-07/schema#';
const DEFINITIONS = '#/definitions/';

/** A JSON Schema of each message as it is on the wire, which needs no other file. Key of the message → schema. */
export function messageSchemasOf(model: ContractModel): Record<string, JsonSchema> {
  const schemas: Record<string, JsonSchema> = {};
  const add = (type: string, kind: MessageKind, { name, data }: Content): void => {
    schemas[keyOf(type, kind)] = standalone(name, kind, { name, data, all: model.schemas });
  };
  for (const { type, data, reply } of model.requests) {
    add(type, 'request', { name: type, data });
    add(type, 'reply', { name: `${type}_reply`, data: reply });
  }
  for (const { type, data } of model.events) add(type, 'event', { name: type, data });
  for (const { namespace, data } of model.publications) add(namespace, 'publication', { name: 'message', data });
  return { ...schemas, error: { $schema: DIALECT, title: 'error', ...ENVELOPES.ErrorEnvelope } };
}

interface Content {
  readonly name: string;
  readonly data: JsonSchema | undefined;
}

function standalone(
  title: string,
  kind: MessageKind,
  { name, data, all }: Content & { readonly all: ContractModel['schemas'] },
): JsonSchema {
  const envelope: JsonSchema = kind === 'request' ? ENVELOPES.RequestEnvelope : ENVELOPES.ServerEnvelope;
  const own = ownPart(name, data);
  const definitions = data === undefined ? {} : definitionsFor(data, all);
  const schema: JsonSchema = {
    $schema: DIALECT,
    title,
    type: 'object',
    properties: { ...envelope.properties, ...own.properties },
    required: [...new Set([...(envelope.required ?? []), ...(own.required ?? [])])],
    ...(Object.keys(definitions).length > 0 && { definitions }),
  };
  return withReferences(schema, DEFINITIONS);
}

/** Every class that the schema refers to, also through others. */
function definitionsFor(schema: JsonSchema, all: ContractModel['schemas']): Record<string, JsonSchema> {
  const found: Record<string, JsonSchema> = {};
  const visit = (part: unknown): void => {
    if (typeof part !== 'object' || part === null) return;
    const name = referenceIn(part as JsonSchema);
    const referred = name === undefined ? undefined : all[name];
    if (name !== undefined && referred !== undefined && !(name in found)) {
      found[name] = referred;
      visit(referred);
    }
    for (const child of Object.values(part)) visit(child);
  };
  visit(schema);
  return found;
}
