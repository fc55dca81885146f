/** A JSON Schema (draft 7), as far as this server writes and reads them. */
export interface JsonSchema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
  readonly additionalProperties?: boolean | JsonSchema;
  readonly allOf?: readonly JsonSchema[];
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly description?: string;
  readonly [keyword: string]: unknown;
}

/** Where the schemas of classes are in the document. */
export const SCHEMAS = '#/components/schemas/';

/** The name that a reference bears; undefined where the schema is none. */
export function referenceIn({ $ref }: JsonSchema): string | undefined {
  return $ref?.startsWith(SCHEMAS) ? $ref.slice(SCHEMAS.length) : undefined;
}

/** The same schema with other references: those of a document are not those of a file. */
export function withReferences(schema: JsonSchema, prefix: string): JsonSchema {
  return JSON.parse(JSON.stringify(schema).replaceAll(`"$ref":"${SCHEMAS}`, `"$ref":"${prefix}`)) as JsonSchema;
}
