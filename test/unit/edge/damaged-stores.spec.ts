import { randomBytes } from 'node:crypto';
import { open, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { parseEdgeRules } from '../../../config/edge-file.js';
import type { ChannelName } from '../../../src/cluster/ports/broker.js';
import { EdgeEvents } from '../../../src/edge/edge-events.js';
import { MirrorLog } from '../../../src/edge/mirror/mirror-log.js';
import { headKeyOf } from '../../../src/edge/mirror/mirror-record.js';
import { MirrorStore } from '../../../src/edge/mirror/mirror-store.js';
import { nameOf, orderIn, type KnownOrder } from '../../../src/edge/orders/known-order.js';
import { OrdersStore } from '../../../src/edge/orders/orders-store.js';
import { databaseOpener, type OpenDatabase, type StoreName } from '../../../src/edge/store/edge-database.js';
import { keyOf } from '../../../src/edge/store/outbox-record.js';
import { Outbox } from '../../../src/edge/store/outbox.js';
import type { OutboxStream } from '../../../src/edge/store/outbox-stream.js';
import { temporaryFolder, type TemporaryFolder } from '../../support/temporary-folder.js';

const RECORDS = 40;
const CHANNEL = 'feed:a' as ChannelName;
const HOUR_MS = 3_600_000;
const RULES = parseEdgeRules(`forward: { channels: ['*'] }`, new Map()).forward;

/** Cannot be compressed, so that the records fill several blocks. */
function data(): string {
  return randomBytes(3_000).toString('base64');
}

function orders(count: number): Map<string, KnownOrder> {
  const known = Array.from({ length: count }, (_, n): KnownOrder => {
    const record = { kind: 'user', key: `user-${n}`, until: Date.now() + HOUR_MS, reason: data(), by: 'operator' };
    const order = orderIn({ list: 'bans', record });
    if (order === undefined) throw new Error('this is no order');
    return order;
  });
  return new Map(known.map((order) => [nameOf(order), order]));
}

function log(count: number): MirrorLog {
  const publications = Array.from({ length: count }, (_, index) => {
    const sent = { data: data(), from: undefined, excludeSession: undefined, expiresAt: undefined };
    return { ...sent, ts: Date.now(), seq: index + 1, bytes: 5_000 };
  });
  return new MirrorLog('e', count, [], false, publications);
}

describe('a damaged store of an edge node', () => {
  let folder: TemporaryFolder;
  let told: string[];
  let events: EdgeEvents;

  beforeEach(async () => {
    folder = await temporaryFolder();
    told = [];
    events = new EdgeEvents();
    events.on('fault', (fault, detail) => told.push(`${fault} ${detail.replace(folder.path, '')}`));
    events.on('settled', (outcome, _rule, count) => told.push(`${outcome} ${count}`));
  });
  afterEach(async () => {
    vi.useRealTimers();
    await folder[Symbol.asyncDispose]();
  });

  const opener = (name: StoreName): Promise<OpenDatabase> => databaseOpener(folder.path, events, { name });

  /** Inverts bytes in the middle of the table that LevelDB makes of its log at the next start. */
  async function damage(name: StoreName): Promise<void> {
    const database = await (await opener(name))();
    await database.close();
    const path = join(folder.path, name);
    const table = (await readdir(path)).find((each) => each.endsWith('.ldb')) ?? '';
    await using file = await open(join(path, table), 'r+');
    const bytes = Buffer.alloc(20_000);
    const at = Math.floor((await file.stat()).size / 2);
    await file.read(bytes, 0, bytes.length, at);
    await file.write(
      bytes.map((byte) => byte ^ 0xff),
      0,
      bytes.length,
      at,
    );
  }

  async function outbox(openDatabase?: OpenDatabase) {
    const made = await Outbox.open({ openDatabase: openDatabase ?? (await opener('outbox')), rules: RULES, events });
    const [stream] = [...made.streams.values()] as [OutboxStream];
    return {
      append: (count: number) =>
        Promise.all(Array.from({ length: count }, () => made.append(stream.rule, { channel: 'a:b', data: data() }))),
      read: () => made.read(stream, { records: 1_000, bytes: Number.MAX_SAFE_INTEGER }),
      outbox: made,
      stream,
      [Symbol.asyncDispose]: () => made.close(),
    };
  }

  it('counts the messages for the centre that are missing, and is empty when the others are sent', async () => {
    {
      await using first = await outbox();
      await first.append(4);
    }
    const database = await (await opener('outbox'))();
    await database.clear({ after: keyOf('default', 1), before: keyOf('default', 4) });
    await database.close();
    told.length = 0;
    {
      await using second = await outbox();
      await second.outbox.remove(second.stream, await second.read());
      expect(told).toEqual([]);
      await second.append(1);
      expect(await second.read()).toHaveLength(1);
      expect(told).toEqual(['queued 1']);
      await second.outbox.remove(second.stream, await second.read());
      expect(await second.read()).toEqual([]);
      expect(told).toEqual(['queued 1', 'damaged 2']);
      expect(second.stream.counts).toMatchObject({ count: 0, bytes: 0, lost: { damaged: 2 } });
      await second.append(1);
    }
    await using third = await outbox();
    expect(third.stream.counts).toMatchObject({ count: 1, lost: { damaged: 2 } });
    expect(await third.read()).toHaveLength(1);
  });

  it('is repaired when its messages cannot be read, and counts what that has cost', async () => {
    {
      await using first = await outbox();
      await first.append(RECORDS);
    }
    await damage('outbox');
    told.length = 0;
    await using at = await outbox();
    let sent = 0;
    await vi.waitFor(
      async () => {
        const stored = await at.read();
        await at.outbox.remove(at.stream, stored);
        sent += stored.length;
        expect(at.stream.isEmpty).toBe(true);
      },
      { timeout: 60_000 },
    );
    expect(sent).toBeLessThan(RECORDS);
    expect(told.at(-1)).toBe(`damaged ${RECORDS - sent}`);
    expect(at.stream.counts.lost.damaged).toBe(RECORDS - sent);
  });

  it('is repaired when it takes no more messages, and counts what that has cost', async () => {
    const openReal = await opener('outbox');
    let isDamaged = false;
    await using at = await outbox(async (toRepair) => {
      const database = await openReal(toRepair);
      if (toRepair === true) {
        isDamaged = false;
        await database.clear({ after: 'q!', before: 'q!default!00000000000002' });
      }
      const failed = Object.assign(new Error('Corruption: bad block'), { code: 'LEVEL_CORRUPTION' });
      return { ...database, write: (...given) => (isDamaged ? Promise.reject(failed) : database.write(...given)) };
    });
    await at.append(3);
    isDamaged = true;
    await expect(at.append(1)).rejects.toMatchObject({ code: 'SERVER_BUSY' });
    await vi.waitFor(() => expect(at.outbox.isWell).toBe(true), { timeout: 60_000 });
    expect(told).toEqual([
      'queued 3',
      'failed 1',
      'write_failed LEVEL_CORRUPTION: Corruption: bad block',
      'repaired /outbox',
      'damaged 1',
    ]);
    await at.append(1);
    expect(at.stream.counts).toMatchObject({ count: 3, lost: { damaged: 1 } });
    expect(await at.read()).toHaveLength(3);
  });

  it('names mirrored channels whose history has a hole, and keeps what is before it', async () => {
    const mirror = async () => MirrorStore.open(await opener('mirror'), events);
    const first = await mirror();
    first.changed(CHANNEL, log(RECORDS));
    await first.close();
    await damage('mirror');
    const second = await mirror();
    expect(told.at(-1)).toBe('damaged mirror: records of 1 channels cannot be read');
    const kept = second.loaded.get(CHANNEL);
    expect(kept?.seq).toBeLessThan(RECORDS);
    // The centre is asked to go on from there.
    expect(kept?.position).toEqual({ epoch: 'e', seq: kept?.publications.length });
    await second.close();
    const faults = told.length;
    const third = await mirror();
    expect(third.loaded.get(CHANNEL)?.publications).toHaveLength(kept?.publications.length ?? -1);
    expect(told).toHaveLength(faults);
    await third.close();
  });

  it('forgets a mirrored channel of which only records without a place are left', async () => {
    const mirror = async () => MirrorStore.open(await opener('mirror'), events);
    const first = await mirror();
    first.changed(CHANNEL, log(3));
    await first.close();
    const database = await (await opener('mirror'))();
    await database.write([{ type: 'del', key: headKeyOf(CHANNEL) }]);
    await database.close();
    for (const faults of [1, 1]) {
      const again = await mirror();
      expect(again.loaded.size).toBe(0);
      await again.close();
      expect(told).toHaveLength(faults);
    }
  });

  it.each([
    ['has lost some', 'damaged orders: 2 cannot be read'],
    ['is damaged', 'repaired /orders'],
  ])('keeps the orders of the centre that it can read if the disk %s, and says so', async (kind, fault) => {
    const all = orders(RECORDS);
    const store = async () => OrdersStore.open(await opener('orders'), events, orderIn);
    const first = await store();
    first.changed(all);
    await first.close();
    if (kind === 'is damaged') await damage('orders');
    else {
      const database = await (await opener('orders'))();
      const [name = '', other = ''] = all.keys();
      await database.write([
        { type: 'del', key: `o!${name}` },
        { type: 'put', key: `o!${other}`, value: Buffer.from('nonsense') },
      ]);
      await database.close();
    }
    const second = await store();
    expect(second.loaded.size).toBeGreaterThan(0);
    expect(second.loaded.size).toBeLessThan(RECORDS);
    expect(told).toEqual([fault]);
    second.changed(all);
    await second.close();
    const third = await store();
    expect(third.loaded.size).toBe(RECORDS);
    expect(told).toHaveLength(1);
    await third.close();
  });

  it.each(['outbox', 'mirror', 'orders'] as const)('%s: starts although nothing in it can be read', async (name) => {
    const openReal = await opener(name);
    const broken: OpenDatabase = async (toRepair) => {
      const database = await openReal(toRepair);
      const failed = Object.assign(new Error('bad magic number'), { code: 'LEVEL_CORRUPTION' });
      const reads = { get: () => Promise.reject(failed), read: () => Promise.reject(failed) };
      return toRepair === true ? database : { ...database, ...reads };
    };
    const opened = await {
      outbox: () => Outbox.open({ openDatabase: broken, rules: RULES, events }),
      mirror: () => MirrorStore.open(broken, events),
      orders: () => OrdersStore.open(broken, events, orderIn),
    }[name]();
    expect(told).toEqual([`repaired /${name}`]);
    await opened.close();
  });

  it.each(['outbox', 'mirror', 'orders'] as const)('%s: begins again if a repair has ended the node', async (name) => {
    const openDatabase = await opener(name);
    await (await openDatabase()).close();
    await writeFile(join(folder.path, name, 'CURRENT'), 'nonsense\n');
    await writeFile(join(folder.path, `${name}.repairing`), '');
    await (await openDatabase()).close();
    expect(told).toEqual([expect.stringMatching(`^set_aside /${name}-corrupt-`)]);
    expect((await readdir(folder.path)).filter((each) => each.endsWith('.repairing'))).toEqual([]);
  });

  it.each(['outbox', 'mirror', 'orders'] as const)(
    '%s: refuses to start on a full disk, and moves nothing',
    async (name) => {
      const { ClassicLevel } = await import('classic-level');
      class Full extends ClassicLevel<string, Buffer> {
        override async open(): Promise<void> {
          const cause = Object.assign(new Error('IO error: 000003.log: No space left on device'), {
            code: 'LEVEL_IO_ERROR',
          });
          throw Object.assign(new Error('Database failed to open'), { code: 'LEVEL_DATABASE_NOT_OPEN', cause });
        }
      }
      const openDatabase = await databaseOpener(folder.path, events, {
        name,
        load: async () => ({ ClassicLevel: Full }) as never,
      });
      await expect(openDatabase()).rejects.toThrow(`${name} cannot be opened: IO error: 000003.log: No space left on`);
      expect(await readdir(folder.path)).toEqual([name]);
      expect(told).toEqual([]);
    },
  );
});
