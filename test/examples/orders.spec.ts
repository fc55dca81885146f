// @module-tag postgres
import type { INestApplication } from '@nestjs/common';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openOrdersSite } from '../../examples/orders/site.js';
import { openPage } from '../support/browser-page.js';
import { fetch } from '../support/fetch.js';
import { PostgresServer } from '../support/postgres-server.js';
import { connect } from '../support/test-client.js';
import { startTestServer, type TestServer } from '../support/test-server.js';

describe('examples/orders', () => {
  let postgres: PostgresServer;
  let server: TestServer;
  let site: INestApplication;
  let address: string;

  beforeAll(async () => {
    postgres = await PostgresServer.start();
    const environment = { CHANNELS_FILE: 'examples/orders/channels.yaml', ALLOWED_ORIGINS: '*', AUTH_MODE: 'optional' };
    server = await startTestServer({ ...environment, POSTGRES_URL: postgres.url });
    site = await openOrdersSite({ database: postgres.url, gatehouse: server.url });
    await site.listen(0, '127.0.0.1');
    address = `http://127.0.0.1:${(site.getHttpServer() as { address(): AddressInfo }).address().port}`;
  });

  afterAll(async () => {
    await site.close();
    await server.close();
    await postgres[Symbol.asyncDispose]();
  });

  async function post(path: string, body: object = {}): Promise<{ readonly status: number; readonly body: unknown }> {
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(`${address}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
    return { status: response.status, body: await response.json() };
  }

  it('publishes each order and each change that it answers, and nothing of what it refuses', async () => {
    await using client = await connect(server.url);
    await client.request('subscribe', { channel: 'orders:all' });
    const tea = await post('/orders', { item: 'Tea' });
    expect(tea).toMatchObject({ status: 201, body: { item: 'Tea', state: 'placed', version: 1 } });
    expect((await post('/orders', { item: '' })).status).toBe(400);
    expect((await post('/orders/999999/ship')).status).toBe(404);
    const { id } = tea.body as { id: number };
    const shipped = await post(`/orders/${id}/ship`);
    expect(await client.next()).toMatchObject({ data: tea.body });
    expect(await client.next()).toMatchObject({ data: shipped.body });
    const list = (await (await fetch(`${address}/orders`)).json()) as unknown[];
    expect(list).toContainEqual(shipped.body);
  });

  it('lists the orders there are, and follows what others change', { tags: ['chromium'] }, async () => {
    await post('/orders', { item: 'Coffee' });
    await using browser = await openPage();
    const { page } = browser;
    await page.goto(address);
    await page.getByText('Coffee').waitFor();
    await page.getByText('open').waitFor();
    await page.getByLabel('Item').fill('Cake');
    await page.getByRole('button', { name: 'Order' }).click();
    await page.getByText('Cake').waitFor();
    const { body } = await post('/orders', { item: 'Milk' });
    await page.getByRole('row', { name: 'Milk' }).waitFor();
    await post(`/orders/${(body as { id: number }).id}/ship`);
    await page.getByRole('row', { name: 'Milk shipped' }).waitFor();
  });
});
