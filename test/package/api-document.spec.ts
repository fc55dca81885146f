import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { ServerProcess } from '../support/built-server.js';
import { fetch } from '../support/fetch.js';
import { operationsOf, type OpenApiDocument, type Schema } from '../support/open-api.js';
import { packedPackage } from '../support/packed-package.js';
import { TEST_SECRET } from '../support/test-server.js';

/** Of a build: Vitest does not run the plugin of @nestjs/swagger, which reads the fields from types and comments. */
let document: OpenApiDocument;
beforeAll(async () => {
  await using packed = await packedPackage();
  const build = { folder: join(packed.nodeModules, 'gatehouse', 'dist'), [Symbol.asyncDispose]: async () => {} };
  await using server = await ServerProcess.start(build, { JWT_SECRET: TEST_SECRET });
  document = (await (await fetch(`http://127.0.0.1:${await server.port()}/docs-json`)).json()) as OpenApiDocument;
});

describe('the OpenAPI document of the package', () => {
  it('names every part of a path, and every body, with a schema that is there', () => {
    for (const [endpoint, { parameters = [], requestBody }] of operationsOf(document)) {
      const inPath = parameters.filter((parameter) => parameter.in === 'path').map(({ name }) => name);
      expect(inPath).toEqual([...endpoint.matchAll(/\{(\w+)\}/g)].map(([, name]) => name));
      if (/^(POST|PUT)/.test(endpoint)) expect(Object.keys(requestBody?.content ?? {})).toEqual(['application/json']);
    }
    const references = [...JSON.stringify(document).matchAll(/"#\/components\/schemas\/(\w+)"/g)];
    expect(references.length).toBeGreaterThan(20);
    for (const [, name = ''] of references) expect(document.components.schemas).toHaveProperty(name);
  });

  it('has one success of each endpoint, with a schema of its answer unless it has no body', () => {
    for (const [endpoint, { responses }] of operationsOf(document)) {
      const successes = Object.keys(responses).filter((status) => status.startsWith('2'));
      expect({ endpoint, successes }).toEqual({
        endpoint,
        successes: [endpoint.startsWith('DELETE ') ? expect.stringMatching(/^20[04]$/) : '200'],
      });
      const [answer] = Object.values(responses['200']?.content ?? {});
      if (successes[0] === '200') expect({ endpoint, answer }).toHaveProperty('answer.schema');
    }
  });

  it('says what every field and every parameter holds', () => {
    const fields = Object.entries(document.components.schemas).flatMap(([owner, { properties = {} }]) =>
      Object.entries(properties).map(([name, schema]): [string, Schema] => [`${owner}.${name}`, schema]),
    );
    const parameters = operationsOf(document).flatMap(([endpoint, operation]) =>
      (operation.parameters ?? []).map(({ name, schema = {} }): [string, Schema] => [`${endpoint} ${name}`, schema]),
    );
    expect(fields.length).toBeGreaterThan(150);
    expect(parameters.length).toBeGreaterThan(20);
    expect([...fields, ...parameters].filter(([, schema]) => !saysWhatItHolds(schema)).map(([name]) => name)).toEqual(
      [],
    );
  });

  it('has the limits that the server checks, and the descriptions and examples of the source', () => {
    expect(document.components.schemas.BanRequest?.properties).toEqual({
      kind: { type: 'string', enum: ['address', 'user'] },
      key: {
        type: 'string',
        minLength: 1,
        maxLength: 256,
        description: 'The address (an IPv6 address stands for its /64), or the user id',
        example: '203.0.113.7',
      },
      durationMs: { type: 'number', minimum: 1, maximum: 31_536_000_000, example: 3_600_000 },
      reason: {
        type: 'string',
        maxLength: 256,
        description: 'For operators; clients do not read it',
        example: 'Scraping',
      },
    });
  });
});

/** A list has the type of its items, and an object its fields or the type of all. */
function saysWhatItHolds(schema: Schema): boolean {
  if (schema.type === 'array') return schema.items !== undefined && saysWhatItHolds(schema.items);
  if (schema.type === 'object') return 'properties' in schema || 'additionalProperties' in schema;
  return ['type', '$ref', 'allOf', 'anyOf'].some((key) => schema[key] !== undefined);
}
