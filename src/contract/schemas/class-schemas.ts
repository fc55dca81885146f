import type { Type } from '@nestjs/common';
import type { JsonSchema } from './json-schema.js';

/** Says what a message class demands, as a JSON Schema. */
export interface ClassSchemas {
  /** @param refer gives the schema that stands for a nested class */
  schemaOf(messageClass: Type, refer: (nested: Type) => JsonSchema): JsonSchema;
}
