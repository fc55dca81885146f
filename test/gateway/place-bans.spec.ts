import { describe, expect, it } from 'vitest';
import { Bans } from '../../src/access/lists/bans.js';
import { PlaceCheck } from '../../src/access/limits/place-check.js';
import { eventually } from '../support/eventually.js';
import { Scrape } from '../support/scrape.js';
import { connect, open, type ClientSetup } from '../support/test-client.js';
import { startTestServer, type TestServer } from '../support/test-server.js';

const TOO_MANY = 4001;

const bansOf = ({ app }: TestServer): Bans => app.get(Bans, { strict: false });
const checkOf = ({ app }: TestServer): PlaceCheck => app.get(PlaceCheck, { strict: false });

async function refuse(server: TestServer, setup: ClientSetup = {}): Promise<void> {
  await using refused = open(server.url, setup);
  expect((await refused.closed).code).toBe(TOO_MANY);
}

describe('an address that was refused for lack of places', () => {
  it.each([
    ['IPv4', '203.0.113.7', '203.0.113.7'],
    ['IPv6', '2001:db8:1:2::1', '2001:db8:1:2::/64'],
  ])('is banned where the connections that hold them are alive: %s', async (_family, address, key) => {
    await using server = await startTestServer({ MAX_CONNECTIONS_PER_IP: '2', TRUST_PROXY: '1' });
    const via = { headers: { 'x-forwarded-for': address } };
    await using first = await connect(server.url, via);
    await using second = await connect(server.url, via);
    await refuse(server, via);
    await eventually('it is banned', () => bansOf(server).activeCount === 1);
    expect(await bansOf(server).list()).toMatchObject([{ key, reason: 'too_many_from_address', offences: 1 }]);
    for (const client of [first, second]) expect(await client.request('echo', 1)).toMatchObject({ data: 1 });
    expect(checkOf(server).sparedCount).toBe(0);
  });

  it('is not banned where one of them may be gone: its client reconnects', async () => {
    await using server = await startTestServer({ MAX_CONNECTIONS_PER_IP: '2' });
    const before = await Scrape.of(server);
    // As a phone whose network has changed: nothing comes back any more, and no FIN was sent.
    await using gone = await connect(server.url, { autoPong: false });
    await using alive = await connect(server.url);
    await refuse(server);
    await eventually('it is spared', () => checkOf(server).sparedCount === 1);
    expect(bansOf(server).activeCount).toBe(0);
    const after = await Scrape.of(server);
    expect(after.since(before, 'websocket_bans_spared_total')).toBe(1);
    expect(await alive.request('echo', 1)).toMatchObject({ data: 1 });
    gone.socket.terminate();
    await eventually('there is room again', async () => {
      await using again = open(server.url);
      again.socket.once('open', () => again.send({ type: 'echo', data: 1 }));
      return await again.next().then(
        () => true,
        () => false,
      );
    });
  });

  it('does not ask each connection again, however often it comes meanwhile', async () => {
    await using server = await startTestServer({ MAX_CONNECTIONS_PER_IP: '1' });
    await using gone = await connect(server.url, { autoPong: false });
    let pings = 0;
    gone.socket.on('ping', () => (pings += 1));
    await Promise.all(Array.from({ length: 10 }, () => refuse(server)));
    await eventually('it is spared', () => checkOf(server).sparedCount === 1);
    expect(pings).toBeLessThan(10);
  });
});
