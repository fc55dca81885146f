import { ENVELOPE_VERSION, MAX_ID_LENGTH, MAX_TYPE_LENGTH } from '@gatehouse/protocol';
import type { JsonSchema } from '../schemas/json-schema.js';

const ID: JsonSchema = {
  type: ['string', 'integer'],
  maxLength: MAX_ID_LENGTH,
  description: 'Chosen by the client. The reply, or the error, has the same.',
};
const TYPE: JsonSchema = { type: 'string', minLength: 1, maxLength: MAX_TYPE_LENGTH };
const TRACE: JsonSchema = { type: 'string', description: 'W3C traceparent.' };
const ENC: JsonSchema = {
  type: 'string',
  enum: ['fernet'],
  description: 'How `data` is encrypted; absent: it is plain.',
};

/** What stands around the data of every message. */
export const ENVELOPES = {
  RequestEnvelope: {
    type: 'object',
    description: 'What a client sends.',
    properties: {
      v: { const: ENVELOPE_VERSION, description: 'Absent: 1.' },
      type: TYPE,
      id: ID,
      data: { description: 'The payload.' },
      ts: { type: 'integer', description: 'When the client made it, milliseconds since 1970. For replay protection.' },
      enc: ENC,
      trace: TRACE,
    },
    required: ['type'],
  },
  ServerEnvelope: {
    type: 'object',
    description: 'What the server sends, except errors.',
    properties: {
      v: { const: ENVELOPE_VERSION },
      type: TYPE,
      id: ID,
      data: { description: 'The payload.' },
      channel: { type: 'string', description: 'Of a publication, a gap, or a presence event.' },
      seq: { type: 'integer', minimum: 1, description: 'Where a publication stands in its channel.' },
      epoch: { type: 'string', description: 'Which life of the channel `seq` counts in.' },
      ts: { type: 'integer', description: 'When it was published, milliseconds since 1970.' },
      from: {
        type: 'object',
        description: 'The session that caused it.',
        properties: { userId: { type: 'string' }, sessionId: { type: 'string' } },
        required: ['userId', 'sessionId'],
      },
      enc: ENC,
      trace: TRACE,
    },
    required: ['v', 'type'],
  },
  ErrorEnvelope: {
    type: 'object',
    description: 'The answer to a message that was refused.',
    properties: {
      v: { const: ENVELOPE_VERSION },
      type: { const: 'error' },
      id: ID,
      code: { type: 'string', pattern: '^[A-Z][A-Z0-9_]{0,63}$', description: 'Decide by this alone.' },
      message: { type: 'string', description: 'For people.' },
      details: {
        type: 'object',
        description: 'For VALIDATION_FAILED: reasons by the path of the field.',
        additionalProperties: { type: 'array', items: { type: 'string' } },
      },
      retryAfter: { type: 'integer', minimum: 0, description: 'Milliseconds after which a retry makes sense.' },
      trace: TRACE,
    },
    required: ['v', 'type', 'code', 'message'],
  },
} as const satisfies Record<string, JsonSchema>;

/** Names that message classes cannot have in the document. */
export const RESERVED_NAMES: ReadonlySet<string> = new Set([...Object.keys(ENVELOPES), 'Contract', 'Record']);

/** The part of a message that is its own: its type, and its data where it carries some. */
export function ownPart(type: string, data: JsonSchema | undefined): JsonSchema {
  const isAnything = data !== undefined && Object.keys(data).length === 0;
  return {
    type: 'object',
    properties: { type: { const: type }, ...(data && { data }) },
    required: data === undefined || isAnything ? ['type'] : ['type', 'data'],
  };
}
