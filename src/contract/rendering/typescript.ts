import type { ContractModel, RequestModel } from '../contract-model.js';
import type { JsonSchema } from '../schemas/json-schema.js';
import { comment, literal, objectText, typeText } from './type-text.js';

const HEAD = '// The messages of this server, written from its code. Do not edit: run `npm run contract`.\n';

/** The contract as TypeScript without runtime: an interface for each class, and one that says who sends what. */
export function typesOf(model: ContractModel): string {
  const others = [...new Set(model.requests.map(({ path }) => path))].filter((path) => path !== model.homePath);
  const contracts = [model.homePath, ...others].map((path) => contractText(path, model));
  const classes = Object.entries(model.schemas).map(([name, schema]) => classText(name, schema));
  return [HEAD, ...contracts, ...classes].join('\n');
}

/** A client speaks to one path, and knows only what is answered there. */
function contractText(path: string, model: ContractModel): string {
  const isHome = path === model.homePath;
  const name = isHome
    ? 'Contract'
    : `ContractOf${path.replace(/\W+(\w?)/g, (_match, first: string) => first.toUpperCase())}`;
  const where = isHome ? '' : ` at ${path}`;
  const requests = model.requests.filter((request) => request.path === path).map(requestLine);
  const events = model.events.map(({ type, data }) => line(type, typeText(data, '    ')));
  const channels = model.publications.map(({ namespace, data }) => line(`${namespace}:*`, typeText(data, '    ')));
  return [
    `/** Everything that clients and server say to each other${where}. */`,
    `export interface ${name} {`,
    section('What clients send, and what they are answered.', 'requests', requests),
    section('What the server sends by itself: type → data.', 'events', events),
    section('What is published in channels: pattern → data.', 'channels', channels),
    '}\n',
  ].join('\n');
}

function section(about: string, name: string, lines: readonly string[]): string {
  return `${comment(about, '  ')}  ${name}: {\n${lines.join('')}  };`;
}

function requestLine({ type, data, reply }: RequestModel): string {
  return line(type, `{ data: ${payloadText(data)}; reply: ${payloadText(reply)} }`);
}

function payloadText(schema: JsonSchema | undefined): string {
  return schema === undefined ? 'undefined' : typeText(schema, '    ');
}

/** Types and patterns look alike, so all are quoted. */
function line(name: string, type: string): string {
  return `    ${literal(name)}: ${type};\n`;
}

function classText(name: string, schema: JsonSchema): string {
  const about = comment(schema.description, '');
  const hasFields = schema.type === 'object' && schema.properties !== undefined && schema.anyOf === undefined;
  if (!hasFields || typeof schema.additionalProperties === 'object')
    return `${about}export type ${name} = ${typeText(schema)};\n`;
  const { properties = {} } = schema;
  const body = Object.keys(properties).length === 0 ? '{}' : objectText(schema);
  return `${about}export interface ${name} ${body}\n`;
}
