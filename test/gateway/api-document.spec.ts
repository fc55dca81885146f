import { describe, expect, it } from 'vitest';
import { api } from '../support/api-client.js';
import { fetch } from '../support/fetch.js';
import { operationsOf, type OpenApiDocument } from '../support/open-api.js';
import { startTestServer } from '../support/test-server.js';

const ENDPOINTS = [
  'DELETE /api/bans/{kind}/{key}',
  'DELETE /api/channels/{channel}/state/{key}',
  'DELETE /api/logs/levels',
  'DELETE /api/revocations/{kind}/{key}',
  'DELETE /api/sessions/{id}',
  'DELETE /api/users/{userId}/rights',
  'DELETE /api/users/{userId}/sessions',
  'GET /api/activity',
  'GET /api/audit',
  'GET /api/bans',
  'GET /api/channels',
  'GET /api/channels/{channel}/history',
  'GET /api/channels/{channel}/presence',
  'GET /api/channels/{channel}/state/{key}',
  'GET /api/channels/{channel}/subscribers',
  'GET /api/diagnostics',
  'GET /api/diagnostics/handlers',
  'GET /api/diagnostics/queues',
  'GET /api/edges',
  'GET /api/explain',
  'GET /api/logs/levels',
  'GET /api/nodes',
  'GET /api/revocations',
  'GET /api/rights',
  'GET /api/sessions',
  'GET /api/sessions/busiest',
  'GET /api/sessions/{id}',
  'GET /api/sessions/{id}/subscriptions',
  'GET /route',
  'POST /api/bans',
  'POST /api/broadcast',
  'POST /api/diagnostics/cpu-profile',
  'POST /api/diagnostics/heap-profile',
  'POST /api/diagnostics/heap-snapshot',
  'POST /api/drain',
  'POST /api/publish',
  'POST /api/revocations',
  'POST /api/users/{userId}/messages',
  'PUT /api/channels/{channel}/state/{key}',
  'PUT /api/logs/levels',
  'PUT /api/users/{userId}/rights',
];

async function documentOf(): Promise<OpenApiDocument> {
  await using server = await startTestServer();
  const response = await fetch(`${server.http}/docs-json`);
  expect(response.status).toBe(200);
  return (await response.json()) as OpenApiDocument;
}

describe('the OpenAPI document', () => {
  it('has every endpoint, and no other', async () => {
    const document = await documentOf();
    expect(document.openapi).toMatch(/^3\./);
    expect(
      operationsOf(document)
        .map(([endpoint]) => endpoint)
        .sort(),
    ).toEqual(ENDPOINTS);
  });

  it('says of each endpoint what it is, how it is secured, and how it fails', async () => {
    const document = await documentOf();
    expect(document.components.securitySchemes).toEqual({
      bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
    });
    for (const [endpoint, { summary, security, responses }] of operationsOf(document)) {
      const isPublic = endpoint === 'GET /route';
      expect({ endpoint, summary, security }).toEqual({
        endpoint,
        summary: expect.stringMatching(/\S/) as string,
        security: isPublic ? [] : [{ bearer: [] }],
      });
      const statuses = Object.keys(responses);
      expect(statuses).toEqual(expect.arrayContaining(isPublic ? ['503'] : ['401', '403', '429', '500', '503']));
      for (const [status, { content = {} }] of Object.entries(responses)) {
        if (Number(status) >= 400) expect(Object.keys(content)).toEqual(['application/problem+json']);
      }
    }
  });

  it('has the idempotency key where one is obeyed', async () => {
    const withKey = operationsOf(await documentOf()).filter(([, { parameters = [] }]) =>
      parameters.some(({ name }) => name === 'Idempotency-Key'),
    );
    expect(withKey.map(([endpoint]) => endpoint).sort()).toEqual([
      'POST /api/broadcast',
      'POST /api/publish',
      'POST /api/users/{userId}/messages',
    ]);
  });
});

describe('/docs', () => {
  it('is a page that loads from this server only, and may not load from elsewhere', async () => {
    await using server = await startTestServer();
    const page = await fetch(`${server.http}/docs`);
    const html = await page.text();
    expect(page.headers.get('content-security-policy')).toMatch(/^default-src 'none'; script-src 'self';/);
    const sources = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, source = '']) => source);
    expect(sources.length).toBeGreaterThanOrEqual(4);
    for (const source of sources.filter((one) => !one.startsWith('#'))) {
      const { origin, pathname } = new URL(source, `${server.http}/docs`);
      expect(origin).toBe(server.http);
      expect({ pathname, status: (await fetch(`${server.http}${pathname}`)).status }).toEqual({
        pathname,
        status: 200,
      });
    }
    expect(html).not.toMatch(/<script>/);
  });

  it('is not there where API_DOCS is off', async () => {
    await using server = await startTestServer({ API_DOCS: 'off' });
    const contract = ['/contract', '/contract/asyncapi.json', '/contract/messages.ts'];
    for (const path of ['/docs', '/docs-json', '/docs/swagger-ui-bundle.js', ...contract]) {
      expect((await fetch(`${server.http}${path}`)).status).toBe(404);
    }
    expect((await api(server, 'GET /api/nodes')).status).toBe(200);
  });

  it('shows no endpoint under /api where API_ENABLED is off', async () => {
    await using server = await startTestServer({ API_ENABLED: 'off' });
    const document = (await (await fetch(`${server.http}/docs-json`)).json()) as OpenApiDocument;
    expect(Object.keys(document.paths)).toEqual(['/route']);
  });
});
