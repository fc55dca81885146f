import { MessageBody, SubscribeMessage } from '@nestjs/websockets';
import { IsInt } from 'class-validator';
import { from, type Observable } from 'rxjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadSettings } from '../../config/settings.js';
import { RealtimeGateway } from '../../src/dispatch/realtime-gateway.js';
import { Channels } from '../../src/channels/channels.js';
import { feature } from '../support/feature.js';
import { KEY, OTHER_KEY, sealed, tokenOf, unsealed } from '../support/fernet.js';
import { fetch } from '../support/fetch.js';
import { namespacesFile, type NamespacesFile } from '../support/namespaces-file.js';
import { Scrape } from '../support/scrape.js';
import { connect, type Message } from '../support/test-client.js';
import { mintToken, startTestServer, type TestServer } from '../support/test-server.js';
import { connectWith, WIRES } from '../support/wires.js';

class Sum {
  @IsInt()
  left!: number;

  @IsInt()
  right!: number;
}

@RealtimeGateway()
class SecretGateway {
  seen: unknown[] = [];

  @SubscribeMessage('secret.sum')
  sum(@MessageBody() { left, right }: Sum): number {
    return left + right;
  }

  @SubscribeMessage('secret.count')
  count(): Observable<number> {
    return from([1, 2]);
  }

  @SubscribeMessage('secret.keep')
  keep(@MessageBody() data: unknown): void {
    this.seen.push(data);
  }
}

const PLAIN_FAILURE = { v: 1, type: 'error', id: 1, code: 'DECRYPTION_FAILED', message: 'Decryption failed' };
const MARK = 'not-to-be-seen';

let server: TestServer;
let namespaces: NamespacesFile;

beforeAll(async () => {
  namespaces = namespacesFile({
    vault: 'subscribe: anyone, publish: anyone, encryption: required, history: { size: 100, age: 1h }',
    live: 'subscribe: anyone, publish: anyone, encryption: required',
    plain: 'subscribe: anyone, publish: anyone, history: { size: 100, age: 1h }',
  });
  server = await startTestServer(
    { ...namespaces.environment, ENCRYPTION_KEYS: `${KEY}, ${OTHER_KEY}`, ENCRYPTION_TTL_MS: '60000' },
    [feature([SecretGateway])],
  );
});

afterAll(async () => {
  await server.close();
  namespaces[Symbol.dispose]();
});

describe('an encrypted message', () => {
  it.each(WIRES)('is decrypted and answered encrypted, in $subprotocol', async (wire) => {
    await using client = await connectWith(wire, server.url);
    const data = { text: 'grüß dich', list: [1, 2.5, null, true, { deep: 'x' }] };
    client.send({ type: 'echo', id: 1, enc: 'fernet', data: sealed(data) });
    const reply = await client.next();
    expect(reply).toMatchObject({ type: 'echo_reply', id: 1, enc: 'fernet' });
    expect(Buffer.from(String(reply['data']), 'base64url')[0]).toBe(0x80);
    expect(unsealed(reply['data'])).toEqual(data);
  });

  it('is not decrypted for those whom it is handed on to, who may have no key', async () => {
    await using eve = await connect(server.url, { claims: { sub: 'eve' } });
    await using other = await connect(server.url, { claims: { sub: 'other' } });
    eve.send({ type: 'broadcast', enc: 'fernet', data: sealed({ pin: MARK }) });
    for (const client of [eve, other]) {
      const message = await client.next();
      expect(message).toMatchObject({ type: 'broadcast', enc: 'fernet', from: { userId: 'eve' } });
      expect(JSON.stringify(message)).not.toContain(MARK);
      expect(unsealed(message['data'])).toEqual({ pin: MARK });
    }
    eve.send({ type: 'send_message', enc: 'fernet', data: sealed({ targetUserId: 'other', message: MARK }) });
    const direct = await other.next();
    expect(direct).toMatchObject({ type: 'direct_message', enc: 'fernet' });
    expect(unsealed(direct['data'])).toMatchObject({ from: { userId: 'eve' }, message: MARK });
  });

  it('may be encrypted with any key; the answer is with the first', async () => {
    await using client = await connect(server.url);
    client.send({ type: 'echo', id: 1, enc: 'fernet', data: sealed('old', { key: OTHER_KEY }) });
    expect(unsealed((await client.next())['data'], KEY)).toBe('old');
  });

  it('is validated after it was decrypted; an error is answered plainly', async () => {
    await using client = await connect(server.url);
    client.send({ type: 'secret.sum', id: 1, enc: 'fernet', data: sealed({ left: 2, right: 3, more: 9 }) });
    expect(unsealed((await client.next())['data'])).toBe(5);
    client.send({ type: 'secret.sum', id: 2, enc: 'fernet', data: sealed({ left: 2 }) });
    const error = await client.next();
    expect(error).toMatchObject({ type: 'error', id: 2, code: 'VALIDATION_FAILED', details: { right: [MATCH] } });
    expect(error).not.toHaveProperty('enc');
  });

  it('has each value of a stream encrypted, and nothing where nothing is answered', async () => {
    await using client = await connect(server.url);
    client.send({ type: 'secret.count', id: 1, enc: 'fernet', data: sealed(null) });
    expect([unsealed((await client.next())['data']), unsealed((await client.next())['data'])]).toEqual([1, 2]);
    client.send({ type: 'secret.keep', id: 2, enc: 'fernet', data: sealed({ any: 'thing' }) });
    expect(await client.next()).toEqual({ v: 1, type: 'secret.keep_reply', id: 2 });
    expect(server.app.get(SecretGateway, { strict: false }).seen.at(-1)).toEqual({ any: 'thing' });
  });

  it('leaves the plain ones of the same connection plain', async () => {
    await using client = await connect(server.url);
    client.send({ type: 'echo', id: 1, enc: 'fernet', data: sealed('x') });
    client.send({ type: 'echo', id: 2, data: 'y' });
    expect(await client.next()).toMatchObject({ id: 1, enc: 'fernet' });
    expect(await client.next()).toEqual({ v: 1, type: 'echo_reply', id: 2, data: 'y' });
  });
});

const MATCH = expect.any(String) as string;

/** Each with the key, so that only what stands behind it is wrong. */
const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);
const UNREADABLE: readonly (readonly [string, unknown])[] = [
  ['no text', { token: MARK }],
  ['absent', undefined],
  ['no token', MARK],
  ['of a key that is not known', tokenOf({ plain: JSON.stringify(MARK), key: 'A'.repeat(43) })],
  ['changed on the way', sealed(MARK).replace(/.{8}==?$|.{8}$/, 'AAAAAAA=')],
  ['too old', sealed(MARK, { time: Date.now() / 1_000 - 120 })],
  ['from the future', sealed(MARK, { time: Date.now() / 1_000 + 3_600 })],
  ['no JSON', tokenOf({ plain: `{"a":${MARK}` })],
  ['no UTF-8', tokenOf({ plain: Buffer.from('22ff22', 'hex') })],
  ['empty', tokenOf({ plain: '' })],
  ['too deep', tokenOf({ plain: nested(129) })],
  ['a million lists', tokenOf({ plain: `[${'[],'.repeat(200_000)}0]` })],
  ['with a key __proto__', tokenOf({ plain: `{"__proto__":{"${MARK}":true}}` })],
  ['with a key __proto__ in escapes', tokenOf({ plain: '{"a":[{"\\u005f_proto__":1}]}' })],
];

describe('a payload that cannot be read', () => {
  it.each(UNREADABLE)('is answered the same, and the connection goes on: %s', async (_what, data) => {
    await using client = await connect(server.url);
    client.send({ type: 'echo', id: 1, enc: 'fernet', data });
    expect(await client.next()).toEqual(PLAIN_FAILURE);
    expect(await client.request('echo', 'goes on', 2)).toMatchObject({ data: 'goes on' });
  });

  it.each(WIRES)('is answered so in $subprotocol too', async (wire) => {
    await using client = await connectWith(wire, server.url);
    client.send({ type: 'echo', id: 1, enc: 'fernet', data: MARK });
    expect(await client.next()).toEqual(PLAIN_FAILURE);
  });

  it('is counted, and neither it nor a key is logged', async () => {
    await using client = await connect(server.url);
    const before = await Scrape.of(server);
    for (const [, data] of UNREADABLE) client.send({ type: 'echo', id: 1, enc: 'fernet', data });
    for (const _ of UNREADABLE) await client.next();
    const series = 'websocket_errors_total{code="DECRYPTION_FAILED"}';
    expect((await Scrape.of(server)).since(before, series)).toBe(UNREADABLE.length);
    expect(JSON.stringify(server.logLines)).not.toMatch(new RegExp(`${MARK}|${KEY}|${OTHER_KEY}`));
  });

  it('is told from an enc that is not known, and from a type that is not', async () => {
    await using client = await connect(server.url);
    client.send({ type: 'echo', id: 1, enc: 'rot13', data: 'x' });
    expect(await client.next()).toMatchObject({ code: 'VALIDATION_FAILED', details: { enc: ['must be "fernet"'] } });
    client.send({ type: 'nobody.knows', id: 2, enc: 'fernet', data: 'x' });
    expect(await client.next()).toMatchObject({ code: 'UNKNOWN_MESSAGE_TYPE' });
  });
});

describe('a namespace that requires encryption', () => {
  const publish = (channel: string, data: unknown): object => ({
    type: 'publish',
    id: 'p',
    enc: 'fernet',
    data: sealed({ channel, data }),
  });

  it('refuses what is published in it as plain text', async () => {
    await using client = await connect(server.url);
    expect(await client.request('publish', { channel: 'vault:a', data: MARK })).toMatchObject({
      code: 'FORBIDDEN',
      message: 'This namespace requires encryption',
    });
  });

  it.each(WIRES)(
    'delivers a token to subscribers who speak $subprotocol, live, in a recovery and in history',
    async (wire) => {
      await using client = await connectWith(wire, server.url);
      await using sender = await connect(server.url);
      const channel = `vault:${wire.subprotocol}`;
      const standing = (await client.request('subscribe', { channel }))['data'] as { epoch: string };
      sender.send(publish(channel, { number: 7 }));
      expect(unsealed((await sender.next())['data'])).toMatchObject({ channel, seq: 1 });

      const live = await client.next();
      expect(live).toMatchObject({ type: 'message', channel, seq: 1, enc: 'fernet', from: { userId: 'alice' } });
      expect(unsealed(live['data'])).toEqual({ number: 7 });

      const since = { epoch: standing.epoch, seq: 0 };
      const recovered = (await client.request('subscribe', { channel, since }))['data'] as Recovered;
      const read = (await client.request('history', { channel }))['data'] as Recovered;
      for (const { publications } of [recovered, read]) {
        expect(publications).toHaveLength(1);
        expect(publications[0]).toMatchObject({ seq: 1, enc: 'fernet' });
        // Encrypted once: it is the very token that went out live, and what lies in the store.
        expect(publications[0]?.data).toBe(live['data']);
      }
    },
  );

  it('answers an encrypted request for its history encrypted, with the tokens inside', async () => {
    await using client = await connect(server.url);
    client.send(publish('vault:twice', 'x'));
    await client.next();
    client.send({ type: 'history', id: 1, enc: 'fernet', data: sealed({ channel: 'vault:twice' }) });
    const { publications } = unsealed((await client.next())['data']) as Recovered;
    expect(publications.map(({ data }) => unsealed(data))).toEqual(['x']);
  });

  it('encrypts without a history too, and once for all subscribers', async () => {
    await using one = await connect(server.url);
    await using two = await connect(server.url);
    for (const client of [one, two]) await client.request('subscribe', { channel: 'live:a' });
    one.send(publish('live:a', 'hi'));
    const [first, second] = [await one.next(), await two.next()];
    expect(unsealed(first['data'])).toBe('hi');
    expect(second['data']).toBe(first['data']);
  });

  it('encrypts what the server itself and the API publish, and tells the server what it was', async () => {
    const channels = server.app.get(Channels, { strict: false });
    const channel = channels.named('vault:ours');
    await channels.publish(channel, { data: { by: 'the server' } });
    await fetch(`${server.http}/api/publish`, {
      method: 'POST',
      headers: { authorization: `Bearer ${mintToken({ roles: ['SERVICE'] })}`, 'content-type': 'application/json' },
      body: JSON.stringify({ channel: 'vault:ours', data: { by: 'the API' } }),
    });
    const { publications } = await channels.history(channel);
    expect(publications.map(({ enc, data }) => [enc, unsealed(data)])).toEqual([
      ['fernet', { by: 'the server' }],
      ['fernet', { by: 'the API' }],
    ]);
    expect(publications.map((publication) => channels.dataOf(publication))).toEqual([
      { by: 'the server' },
      { by: 'the API' },
    ]);
  });

  it('leaves other namespaces plain, also for an encrypted publish', async () => {
    await using client = await connect(server.url);
    await client.request('subscribe', { channel: 'plain:a' });
    client.send(publish('plain:a', 'open'));
    const message = await client.next();
    expect(message).toMatchObject({ type: 'message', data: 'open' });
    expect(message).not.toHaveProperty('enc');
  });
});

describe('the start', () => {
  it('fails where a namespace requires encryption and there is no key, naming both', () => {
    expect(() => loadSettings({ AUTH_MODE: 'off', ...namespaces.environment })).toThrow(
      /ENCRYPTION_KEYS must be set: namespaces\.vault\.encryption is required/,
    );
  });

  it.each(['x', `${KEY},short`, KEY.slice(0, 40), `${KEY} ${OTHER_KEY}`, Array(17).fill(KEY).join()])(
    'fails with keys that are none, and does not show them: %s',
    (keys) => {
      const failing = (): unknown => loadSettings({ AUTH_MODE: 'off', ENCRYPTION_KEYS: keys });
      expect(failing).toThrow(/ENCRYPTION_KEYS must be Fernet keys, each 32 bytes in base64url.*\(not shown\)/);
    },
  );
});

interface Recovered {
  readonly publications: readonly Message[];
}
