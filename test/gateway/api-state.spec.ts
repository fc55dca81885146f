import { describe, expect, it } from 'vitest';
import { api } from '../support/api-client.js';
import { Scrape } from '../support/scrape.js';
import { sharedServer } from '../support/shared-server.js';
import { StateClient } from '../support/state-client.js';

const server = sharedServer();
const PATH = '/api/channels/twin:line-1/state';

describe('the state of a channel over HTTP', () => {
  it('is set, read and removed, and subscribers see each change', async () => {
    await using client = await StateClient.connect(server().url, 'twin:line-1');
    await client.join();
    const set = await api(server(), `PUT ${PATH}/robot%207`, { body: { patch: { x: 4, y: 1 } } });
    expect(set).toMatchObject({ status: 200, body: { channel: 'twin:line-1', key: 'robot 7', version: 1 } });
    await api(server(), `PUT ${PATH}/robot%207`, { body: { patch: { y: null } } });
    expect(await api(server(), `GET ${PATH}/robot%207`)).toMatchObject({
      status: 200,
      body: { key: 'robot 7', version: 2, value: { x: 4 } },
    });
    await api(server(), `PUT ${PATH}/robot%207`, { body: { value: { z: 1 }, ifVersion: 2 } });
    await client.reach(3);
    expect(Object.fromEntries(client.map)).toEqual({ 'robot 7': { z: 1 } });
    expect(await api(server(), `DELETE ${PATH}/robot%207?ifVersion=3`)).toMatchObject({
      status: 200,
      body: { version: 0 },
    });
    await client.reach(4);
    expect(client.map.size).toBe(0);
    const scrape = await Scrape.of(server());
    expect(scrape.value('gatehouse_state_keys')).toBe(0);
    expect(scrape.value('gatehouse_state_snapshots_total{cause="subscribe"}')).toBe(1);
    expect(scrape.value('gatehouse_state_conflated_total')).toBe(0);
  });

  it.each([
    ['GET', `${PATH}/absent`, undefined, 404, 'UNKNOWN_KEY'],
    ['GET', '/api/channels/nowhere:a/state/a', undefined, 404, 'UNKNOWN_CHANNEL'],
    ['GET', '/api/channels/room:a/state/a', undefined, 403, 'FORBIDDEN'],
    ['PUT', `${PATH}/a`, { patch: 1, ifVersion: 17 }, 409, 'CONFLICT'],
    ['PUT', `${PATH}/a`, {}, 422, 'VALIDATION_FAILED'],
    ['PUT', `${PATH}/a`, { patch: 1, value: 1 }, 422, 'VALIDATION_FAILED'],
    ['PUT', `${PATH}/a`, { patch: null }, 422, 'VALIDATION_FAILED'],
    ['PUT', `${PATH}/__proto__`, { patch: 1 }, 422, 'VALIDATION_FAILED'],
    ['PUT', `${PATH}/${'k'.repeat(300)}`, { patch: 1 }, 422, 'VALIDATION_FAILED'],
    ['PUT', `${PATH}/a`, { patch: 'x'.repeat(20_000) }, 413, 'MESSAGE_TOO_LARGE'],
    ['DELETE', `${PATH}/a?ifVersion=17`, undefined, 409, 'CONFLICT'],
  ])('%s %s is refused by name', async (method, path, body, status, code) => {
    const answer = await api(server(), `${method} ${path}`, body === undefined ? {} : { body });
    expect(answer).toMatchObject({ status, body: { code } });
  });
});
