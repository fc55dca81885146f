import type { AsyncApiDocument, AsyncApiOperation } from '../rendering/async-api.js';
import type { JsonSchema } from '../schemas/json-schema.js';
import type { BreakingChange } from './breaking-change.js';
import { schemaChanges, type Comparison } from './schema-changes.js';

/** Two documents that are compared. */
interface Versions<T> {
  readonly before: T;
  readonly after: T;
}

type Documents = Versions<AsyncApiDocument>;

/** Every change from one contract to another that breaks clients. */
export function breakingChanges(before: AsyncApiDocument, after: AsyncApiDocument): BreakingChange[] {
  const documents = { before, after };
  return Object.entries(before.operations).flatMap(([key, operation]) => {
    const present = after.operations[key];
    if (present === undefined) return [removal(operation, before)];
    const versions = { before: operation, after: present };
    return operation.action === 'receive' ? requestChanges(versions, documents) : pushChanges(versions, documents);
  });
}

function removal(operation: AsyncApiOperation, document: AsyncApiDocument): BreakingChange {
  const { name, channel } = messageOf(operation, document);
  if (operation.action === 'receive')
    return {
      kind: 'removed type',
      sentence: `${name} is gone: clients that send it are answered UNKNOWN_MESSAGE_TYPE`,
    };
  if (channel !== undefined) return { kind: 'removed namespace', sentence: `the channels ${channel} are gone` };
  return { kind: 'removed event', sentence: `${name} is gone: the server no longer sends it` };
}

function requestChanges(operations: Versions<AsyncApiOperation>, documents: Documents): BreakingChange[] {
  const { name } = messageOf(operations.before, documents.before);
  const data = {
    before: messageOf(operations.before, documents.before).data,
    after: messageOf(operations.after, documents.after).data,
  };
  const reply = {
    before: replyOf(operations.before, documents.before),
    after: replyOf(operations.after, documents.after),
  };
  return [
    ...dataChanges(`${name}: data`, data, documents),
    ...demandChanges(name, operations),
    ...replyChanges(`the reply to ${name}`, reply, documents),
  ];
}

function dataChanges(where: string, { before, after }: Versions<Content>, documents: Documents): BreakingChange[] {
  if (after.schema === undefined) return [];
  if (before.schema === undefined)
    return after.isRequired ? [{ kind: 'data demanded', sentence: `${where} must now be there` }] : [];
  const versions = { before: before.schema, after: after.schema };
  return schemaChanges(where, versions, comparison(documents, 'client'));
}

function demandChanges(name: string, { before, after }: Versions<AsyncApiOperation>): BreakingChange[] {
  const changes: BreakingChange[] = [];
  const demands = demandsOf(before);
  for (const roles of demandsOf(after)) {
    const isNoStricter = demands.some((known) => known.every((role) => roles.includes(role)));
    if (!isNoStricter) changes.push({ kind: 'role demanded', sentence: `${name} now needs ${roles.join(' or ')}` });
  }
  if (after['x-signed-in'] && !before['x-signed-in'] && demands.length === 0)
    changes.push({ kind: 'role demanded', sentence: `${name} now needs a client that is signed in` });
  if (after['x-once'] && !before['x-once'])
    changes.push({ kind: 'replay protection demanded', sentence: `${name} must now have an id and a ts` });
  return changes;
}

function replyChanges(where: string, { before, after }: Versions<Content>, documents: Documents): BreakingChange[] {
  if (before.schema === undefined || isAnything(before.schema)) return [];
  if (after.schema === undefined) return [{ kind: 'removed reply', sentence: `${where} no longer carries data` }];
  if (isAnything(after.schema)) return [{ kind: 'removed reply', sentence: `${where} may now carry anything` }];
  const versions = { before: before.schema, after: after.schema };
  return schemaChanges(`${where}: data`, versions, comparison(documents, 'server'));
}

function pushChanges(operations: Versions<AsyncApiOperation>, documents: Documents): BreakingChange[] {
  const before = messageOf(operations.before, documents.before);
  const after = messageOf(operations.after, documents.after);
  const [was = {}, is = {}] = [before.data.schema, after.data.schema];
  const { channel } = before;
  if (channel !== undefined && isAnything(is) && !isAnything(was))
    return [{ kind: 'removed publication class', sentence: `publications in ${channel} may now be anything` }];
  const where = channel === undefined ? `${before.name}: data` : `publications in ${channel}: data`;
  return schemaChanges(where, { before: was, after: is }, comparison(documents, 'server'));
}

/** What a message carries. */
interface Content {
  readonly schema: JsonSchema | undefined;
  readonly isRequired: boolean;
}

function messageOf({ messages }: AsyncApiOperation, document: AsyncApiDocument) {
  const message = messageAt(messages[0]?.$ref, document);
  const channel = message?.['x-channel'];
  return {
    name: message?.name ?? '',
    channel: typeof channel === 'string' ? channel : undefined,
    data: contentOf(message?.payload),
  };
}

function replyOf({ reply }: AsyncApiOperation, document: AsyncApiDocument): Content {
  return contentOf(messageAt(reply?.messages[0]?.$ref, document)?.payload);
}

/** Operations name messages of their channel, and those have the same keys as the messages of the document. */
function messageAt(reference = '', { components }: AsyncApiDocument) {
  return components.messages[reference.slice(reference.lastIndexOf('/') + 1)];
}

function contentOf(payload: JsonSchema = {}): Content {
  const [, own = {}] = payload.allOf ?? [];
  return { schema: own.properties?.data, isRequired: own.required?.includes('data') ?? false };
}

function demandsOf({ 'x-roles': roles = [] }: AsyncApiOperation): (readonly string[])[] {
  const single: string[] = [];
  const several: (readonly string[])[] = [];
  for (const demand of roles) {
    if (typeof demand === 'string') single.push(demand);
    else several.push(demand);
  }
  return single.length === 0 ? several : [single, ...several];
}

function isAnything(schema: JsonSchema): boolean {
  return Object.keys(schema).length === 0;
}

function comparison({ before, after }: Documents, writer: Comparison['writer']): Comparison {
  return { before: before.components.schemas, after: after.components.schemas, writer };
}
