/** The parts of /contract/asyncapi.json that the page of messages reads. */
export interface MessageType {
  readonly type: string;
  readonly data: Schema | undefined;
  readonly reply: Schema | undefined;
}

export type Schema = Readonly<Record<string, unknown>>;

interface AsyncApi {
  readonly components: {
    readonly messages: Readonly<Record<string, { readonly name: string; readonly payload: Schema }>>;
    readonly schemas: Readonly<Record<string, Schema>>;
  };
}

const REQUEST = '.request';
/** How deep references are followed: a schema may name itself. */
const MAX_DEPTH = 8;

/** @throws Error if the contract is not served */
export async function readContract(signal: AbortSignal): Promise<readonly MessageType[]> {
  const response = await fetch(new URL('contract/asyncapi.json', location.href), { signal });
  if (!response.ok) throw new Error('The server shows no contract. It does so with API_DOCS=on');
  const document = (await response.json()) as AsyncApi;
  const { messages, schemas } = document.components;
  const dataOf = (name: string): Schema | undefined => {
    const message = messages[name];
    const data = message && fieldsOf(message.payload)['data'];
    return isSchema(data) ? (resolved(data, schemas, MAX_DEPTH) as Schema) : undefined;
  };
  return Object.keys(messages)
    .filter((name) => name.endsWith(REQUEST))
    .map((name) => name.slice(0, -REQUEST.length))
    .map((type) => ({ type, data: dataOf(`${type}${REQUEST}`), reply: dataOf(`${type}.reply`) }));
}

/** An example of a value, to fill in. */
export function sampleOf(schema: Schema | undefined): unknown {
  if (schema === undefined) return undefined;
  if ('const' in schema) return schema['const'];
  if (Array.isArray(schema['enum'])) return schema['enum'][0];
  const { type } = schema;
  if (type === 'object') return sampleOfObject(schema);
  if (type === 'array') return [];
  if (type === 'integer' || type === 'number') return 0;
  if (type === 'boolean') return false;
  return type === 'string' ? '' : {};
}

function sampleOfObject(schema: Schema): unknown {
  const required = Array.isArray(schema['required']) ? schema['required'] : [];
  const properties = isSchema(schema['properties']) ? schema['properties'] : {};
  const fields = Object.entries(properties).filter(([name]) => required.includes(name));
  return Object.fromEntries(fields.map(([name, field]) => [name, sampleOf(isSchema(field) ? field : undefined)]));
}

/** The fields of an envelope, which is written as several schemas together. */
function fieldsOf(payload: Schema): Schema {
  const parts: unknown[] = Array.isArray(payload['allOf']) ? payload['allOf'] : [payload];
  return Object.assign(
    {},
    ...parts.map((part) => (isSchema(part) && isSchema(part['properties']) ? part['properties'] : {})),
  ) as Schema;
}

function resolved(value: unknown, schemas: AsyncApi['components']['schemas'], depth: number): unknown {
  if (Array.isArray(value)) return value.map((item) => resolved(item, schemas, depth));
  if (!isSchema(value)) return value;
  const reference = value['$ref'];
  if (typeof reference === 'string') {
    const name = reference.split('/').at(-1) ?? '';
    return depth === 0 ? { $ref: name } : resolved(schemas[name] ?? {}, schemas, depth - 1);
  }
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, resolved(field, schemas, depth)]));
}

function isSchema(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
