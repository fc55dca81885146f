// @module-tag postgres
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { OUTBOX_SCHEMA } from '../../src/outbox/schema.js';
import { eventually } from '../support/eventually.js';
import { namespacesFile, type NamespacesFile } from '../support/namespaces-file.js';
import { PostgresServer } from '../support/postgres-server.js';
import { Scrape } from '../support/scrape.js';
import { connect, type TestClient } from '../support/test-client.js';
import { startTestServer, type TestServer } from '../support/test-server.js';

const CHANNEL = 'feed:orders';

let postgres: PostgresServer;
let namespaces: NamespacesFile;
let server: TestServer;

beforeAll(async () => {
  postgres = await PostgresServer.start();
  namespaces = namespacesFile({ feed: 'subscribe: anyone, publish: nobody, history: { size: 5000, age: 10m }' });
  server = await startTestServer({ POSTGRES_URL: postgres.url, ...namespaces.environment });
});

afterAll(async () => {
  await server.close();
  namespaces[Symbol.dispose]();
  await postgres[Symbol.asyncDispose]();
});

const emptied = (): Promise<void> =>
  eventually('the outbox is empty', async () => (await postgres.query('SELECT FROM gatehouse_outbox')).length === 0);

async function follower(): Promise<TestClient> {
  const client = await connect(server.url);
  await client.request('subscribe', { channel: CHANNEL });
  return client;
}

describe('a row of the outbox', () => {
  beforeEach(async () => {
    await postgres.query('TRUNCATE gatehouse_outbox, gatehouse_outbox_refused');
  });

  it('is published when its transaction commits, in the order in which it was written, and removed', async () => {
    await using client = await follower();
    await using writer = await postgres.connect();
    await writer.query('BEGIN');
    for (let n = 0; n < 3; n += 1) await writer.query('SELECT gatehouse_publish($1, $2)', [CHANNEL, { n }]);
    await writer.query('COMMIT');
    for (let n = 0; n < 3; n += 1) expect(await client.next()).toMatchObject({ type: 'message', data: { n } });
    await emptied();
  });

  it('holds up no other if its time is infinite', async () => {
    await using client = await follower();
    await postgres.query(
      `INSERT INTO gatehouse_outbox (channel, data, at) VALUES ($1, '1', 'infinity'), ($1, '2', '-infinity')`,
      [CHANNEL],
    );
    for (const data of [1, 2]) expect(await client.next()).toMatchObject({ data });
    await emptied();
  });

  it('is refused with a number that becomes infinite, and with a key __proto__', async () => {
    for (const data of ['1e400', '{"a":[-1e400]}', '[{"__proto__":{"x":1}}]']) {
      await postgres.query('SELECT gatehouse_publish($1, $2::jsonb)', [CHANNEL, data]);
    }
    await emptied();
    const refused = await postgres.query('SELECT reason FROM gatehouse_outbox_refused ORDER BY id');
    expect(refused).toEqual([
      { reason: 'its data has a number such as 1e400' },
      { reason: 'its data has a number such as 1e400' },
      { reason: 'its data has a key __proto__' },
    ]);
  });

  it('is not published if its transaction rolls back', async () => {
    await using client = await follower();
    await using writer = await postgres.connect();
    await writer.query('BEGIN');
    await writer.query('SELECT gatehouse_publish($1, $2)', [CHANNEL, '"never"']);
    await writer.query('ROLLBACK');
    await writer.query('SELECT gatehouse_publish($1, $2)', [CHANNEL, '"next"']);
    expect(await client.next()).toMatchObject({ data: 'next' });
  });

  it('waits for transactions that wrote before it, so that none comes too late; the log names who holds it up', async () => {
    await using client = await follower();
    await using early = await postgres.connect();
    await early.query("SET application_name = 'nightly'");
    await early.query('BEGIN');
    const [{ pid }] = (await early.query('SELECT pg_backend_pid() AS pid, pg_current_xact_id()')).rows as [
      { pid: number },
    ];
    // A minute old, so that the line does not have to be waited for.
    await postgres.query(
      `INSERT INTO gatehouse_outbox (channel, data, at) VALUES ('${CHANNEL}', '"late"', now() - interval '1 minute')`,
    );
    const line = () => server.logLines.find(({ area, pid: named }) => area === 'outbox' && named === pid);
    await eventually('the log names it', () => line() !== undefined);
    expect(line()).toMatchObject({ level: 'warn', application: 'nightly', seconds: expect.closeTo(60, -2) });
    expect((await Scrape.of(server)).value('gatehouse_outbox_lag_seconds')).toBeGreaterThan(59);
    await early.query('SELECT gatehouse_publish($1, $2)', [CHANNEL, '"early"']);
    expect(client.unread).toEqual([]);
    await early.query('COMMIT');
    expect(await client.next()).toMatchObject({ data: 'early' });
    expect(await client.next()).toMatchObject({ data: 'late' });
  });

  it('is ordered by the number of its transaction, also where that gets another digit', async () => {
    await using client = await follower();
    await using early = await postgres.connect();
    await early.query('BEGIN');
    const [{ xid }] = (await early.query('SELECT pg_current_xact_id()::text AS xid')).rows as [{ xid: string }];
    // Each turn of the loops is a transaction. All of them wait for the first one, and are read at one time.
    await postgres.query(`DO $$ BEGIN
      WHILE pg_current_xact_id()::text::bigint < ${10 ** xid.length - 5} LOOP COMMIT; END LOOP;
      FOR n IN 0..9 LOOP PERFORM gatehouse_publish('${CHANNEL}', to_jsonb(n)); COMMIT; END LOOP;
    END $$`);
    await early.query('COMMIT');
    for (let n = 0; n < 10; n += 1) expect(await client.next()).toMatchObject({ data: n });
    await emptied();
  });

  it.each([
    ['has a namespace that is not configured', 'cinema:7', null, /UNKNOWN_CHANNEL/],
    ['has no channel name', 'orders', null, /UNKNOWN_CHANNEL/],
    ['has an unknown option', CHANNEL, { ttl: 1 }, /unknown option, "ttl"/],
    ['has options that are no object', CHANNEL, [1], /not an object/],
    ['has a bad ttlMs', CHANNEL, { ttlMs: -1 }, /ttlMs/],
    ['has a bad excludeSession', CHANNEL, { excludeSession: 1 }, /excludeSession/],
  ])('that %s is put aside with the reason, and holds up nobody', async (_what, channel, options, reason) => {
    await using client = await follower();
    const before = (await Scrape.of(server)).value('gatehouse_outbox_rows_total{outcome="refused"}');
    await postgres.query('SELECT gatehouse_publish($1, $2, $3)', [channel, '{"bad": true}', JSON.stringify(options)]);
    await postgres.query('SELECT gatehouse_publish($1, $2)', [CHANNEL, '"good"']);
    expect(await client.next()).toMatchObject({ data: 'good' });
    await emptied();
    const refused = await postgres.query<{ reason: string }>('SELECT * FROM gatehouse_outbox_refused');
    expect(refused).toMatchObject([{ channel, data: { bad: true }, reason: expect.stringMatching(reason) }]);
    expect((await Scrape.of(server)).value('gatehouse_outbox_rows_total{outcome="refused"}')).toBe(before + 1);
    expect(server.logLines).toContainEqual(
      expect.objectContaining({ area: 'outbox', reason: expect.stringMatching(reason) }),
    );
  });

  it('larger than 16 MiB is put aside without being read', async () => {
    await postgres.query(`SELECT gatehouse_publish('${CHANNEL}', to_jsonb(repeat('x', 17000000)))`);
    await eventually('it is put aside', async () => {
      const rows = await postgres.query<{ reason: string }>('SELECT reason FROM gatehouse_outbox_refused');
      return rows.some(({ reason }) => reason.includes('16 MiB'));
    });
  });

  it('is not published after its ttlMs', async () => {
    await using client = await follower();
    await postgres.query(
      `INSERT INTO gatehouse_outbox (channel, data, options, at)
       VALUES ('${CHANNEL}', '1', '{"ttlMs": 1000}', now() - interval '1 minute'), ('${CHANNEL}', '2', '{"ttlMs": 600000}', now())`,
    );
    expect(await client.next()).toMatchObject({ data: 2 });
    await eventually(
      'it counts',
      async () => (await Scrape.of(server)).value('gatehouse_outbox_rows_total{outcome="expired"}') === 1,
    );
  });

  it('is published once by two nodes that share a database', async () => {
    await using other = await startTestServer({ POSTGRES_URL: postgres.url, ...namespaces.environment });
    await using client = await follower();
    for (let n = 0; n < 20; n += 1) await postgres.query('SELECT gatehouse_publish($1, $2)', [CHANNEL, { n }]);
    for (let n = 0; n < 20; n += 1) expect(await client.next()).toMatchObject({ data: { n } });
    expect((await Scrape.of(server)).value('gatehouse_outbox_reading')).toBe(1);
    expect((await Scrape.of(other)).value('gatehouse_outbox_reading')).toBe(0);
    expect((await Scrape.of(other)).value('gatehouse_outbox_rows_total{outcome="published"}')).toBe(0);
  });

  it('comes from a trigger, and wakes the reader if the trigger notifies', async () => {
    await using client = await follower();
    await postgres.query(`
      CREATE TABLE orders (id int PRIMARY KEY, state text);
      CREATE FUNCTION tell_order() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN PERFORM gatehouse_publish('${CHANNEL}', to_jsonb(NEW)); RETURN NEW; END $$;
      CREATE TRIGGER tell AFTER INSERT OR UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION tell_order();
      CREATE FUNCTION wake_gatehouse() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN NOTIFY gatehouse_outbox; RETURN NULL; END $$;
      CREATE TRIGGER wake AFTER INSERT ON gatehouse_outbox FOR EACH STATEMENT EXECUTE FUNCTION wake_gatehouse();
      INSERT INTO orders VALUES (1, 'new');
      UPDATE orders SET state = 'paid'`);
    expect(await client.next()).toMatchObject({ data: { id: 1, state: 'new' } });
    expect(await client.next()).toMatchObject({ data: { id: 1, state: 'paid' } });
  });
});

describe('the reader of the outbox', () => {
  it('tries again while the database is away, and another node takes over when it ends', async () => {
    await using database = await PostgresServer.start();
    const environment = { POSTGRES_URL: database.url, ...namespaces.environment };
    const first = await startTestServer(environment);
    const isReading = async (one: TestServer): Promise<boolean> =>
      (await Scrape.of(one)).value('gatehouse_outbox_reading') === 1;
    await eventually('the first one reads', () => isReading(first));
    await using second = await startTestServer(environment);
    await first.close();
    await eventually('the second one reads', () => isReading(second));

    await database.kill();
    await eventually(
      'the failure counts',
      async () => (await Scrape.of(second)).value('gatehouse_outbox_failures_total') > 0,
    );
    expect((await Scrape.of(second)).value('gatehouse_outbox_reading')).toBe(0);
    await database.restart();
    await using client = await connect(second.url);
    await client.request('subscribe', { channel: CHANNEL });
    await database.query('SELECT gatehouse_publish($1, $2)', [CHANNEL, '"after"']);
    expect(await client.next()).toMatchObject({ data: 'after' });
  });

  it('says what is missing until the schema is there', async () => {
    await postgres.query('CREATE DATABASE bare');
    const url = postgres.url.replace(/postgres$/, 'bare');
    await using bare = await startTestServer({ POSTGRES_URL: url, ...namespaces.environment });
    const isTold = (): boolean =>
      bare.logLines.some(({ reason }) => String(reason).includes('npm run postgres:schema'));
    await eventually('the log says so', isTold);
    await using client = await connect(bare.url);
    await client.request('subscribe', { channel: CHANNEL });
    await postgres.query(OUTBOX_SCHEMA, undefined, 'bare');
    // It can be run again without harm.
    await postgres.query(OUTBOX_SCHEMA, undefined, 'bare');
    await postgres.query(`SELECT gatehouse_publish('${CHANNEL}', '"found"')`, undefined, 'bare');
    expect(await client.next()).toMatchObject({ data: 'found' });
  });
});
