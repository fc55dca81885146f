import { cp, readdir, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { parseEdgeRules, type ForwardRule } from '../../../config/edge-file.js';
import { UnusableSettings } from '../../../config/unusable-settings.js';
import { EdgeEvents } from '../../../src/edge/edge-events.js';
import { databaseOpener, type EdgeDatabase } from '../../../src/edge/store/edge-database.js';
import { keyOf } from '../../../src/edge/store/outbox-record.js';
import type { OutboxStream, Stored } from '../../../src/edge/store/outbox-stream.js';
import { Outbox } from '../../../src/edge/store/outbox.js';
import { temporaryFolder, type TemporaryFolder } from '../../support/temporary-folder.js';

const ALL = { records: 1_000, bytes: Number.MAX_SAFE_INTEGER };
const MESSAGE = { channel: 'telemetry:a', data: 'x'.repeat(10_000) };

function ruleOf(options = ''): ForwardRule {
  const [rule] = parseEdgeRules(`forward: { channels: ['*'], max_bytes: 64KiB${options} }`, new Map()).forward;
  if (rule === undefined) throw new Error('there is no rule');
  return rule;
}

function seqsOf(stored: readonly Stored[]): number[] {
  return stored.map(({ seq }) => seq);
}

/** An outbox, what it has told, and its only stream. */
async function openOutbox(path: string, rule = ruleOf(), openDatabase?: () => Promise<EdgeDatabase>) {
  const events = new EdgeEvents();
  const told: unknown[] = [];
  events.on('settled', (outcome, _name, count) => told.push([outcome, count]));
  events.on('fault', (fault) => told.push(fault));
  const rules = rule === NO_RULE ? [] : [rule];
  const outbox = await Outbox.open({
    openDatabase: openDatabase ?? (await databaseOpener(path, events)),
    rules,
    events,
  });
  const [stream] = [...outbox.streams.values()] as [OutboxStream];
  return { outbox, stream, told, [Symbol.asyncDispose]: () => outbox.close() };
}

const NO_RULE = ruleOf();

describe('the outbox of an edge node', () => {
  let folder: TemporaryFolder;
  beforeEach(async () => {
    folder = await temporaryFolder();
  });
  afterEach(async () => {
    vi.useRealTimers();
    await folder[Symbol.asyncDispose]();
  });

  it('keeps messages over a restart, in order, with what was lost so far', async () => {
    {
      await using first = await openOutbox(folder.path);
      await Promise.all([1, 2, 3].map((n) => first.outbox.append(first.stream.rule, { channel: 'a:b', data: n })));
      await first.outbox.remove(first.stream, await first.outbox.read(first.stream, { ...ALL, records: 1 }), {
        refused: 1,
      });
    }
    await using second = await openOutbox(folder.path);
    expect(second.stream.counts).toMatchObject({ count: 2, lost: { refused: 1 } });
    expect(await second.outbox.append(second.stream.rule, { channel: 'a:b', data: 4 })).toBe(4);
    const stored = await second.outbox.read(second.stream, ALL);
    expect(stored.map(({ record }) => record?.data)).toEqual([2, 3, 4]);
    expect(new Set(stored.map(({ record }) => record?.run)).size).toBe(2);
  });

  it('keeps any data as it is', async () => {
    await using at = await openOutbox(folder.path);
    const values = [null, 'é\u{feff}', { deep: [1, -0.5, true] }, 'a\ud800b'.toWellFormed(), Buffer.from([0, 255])];
    for (const data of values) await at.outbox.append(at.stream.rule, { channel: 'a:b', data, key: 'k' });
    const stored = await at.outbox.read(at.stream, ALL);
    expect(stored.map(({ record }) => record?.data)).toEqual(values);
    expect(stored[0]?.record).toMatchObject({ key: 'k', channel: 'a:b', seq: 1 });
  });

  it('refuses with SERVER_BUSY what does not fit, and has room again when something has left', async () => {
    await using at = await openOutbox(folder.path);
    const append = () => at.outbox.append(at.stream.rule, MESSAGE);
    const outcomes = await Promise.allSettled(Array.from({ length: 10 }, append));
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(6);
    await expect(append()).rejects.toMatchObject({ code: 'SERVER_BUSY', message: 'The outbox is full' });
    await at.outbox.remove(at.stream, await at.outbox.read(at.stream, { ...ALL, records: 1 }));
    expect(await append()).toBe(7);
    expect(at.told).toContainEqual(['queued', 6]);
    expect(at.told.filter((each) => String(each) === 'rejected,1')).toHaveLength(5);
  });

  it('drops the oldest if its rule says so, but none that is under way to the centre', async () => {
    await using at = await openOutbox(folder.path, ruleOf(', on_full: drop_oldest'));
    const append = () => at.outbox.append(at.stream.rule, MESSAGE);
    for (let n = 0; n < 4; n += 1) await append();
    const underWay = await at.outbox.read(at.stream, { ...ALL, records: 2 });
    expect(seqsOf(underWay)).toEqual([1, 2]);
    for (let n = 0; n < 5; n += 1) await append();
    expect(at.stream.counts).toMatchObject({ count: 6, lost: { dropped: 3 } });
    await at.outbox.remove(at.stream, underWay);
    expect(seqsOf(await at.outbox.read(at.stream, ALL))).toEqual([6, 7, 8, 9]);
    expect(at.told.filter((each) => String(each) === 'dropped,1')).toHaveLength(3);
  });

  it('refuses what is larger than 1 MiB with MESSAGE_TOO_LARGE', async () => {
    await using at = await openOutbox(folder.path);
    const appending = at.outbox.append(at.stream.rule, { channel: 'a:b', data: 'x'.repeat(1_048_576) });
    await expect(appending).rejects.toMatchObject({ code: 'MESSAGE_TOO_LARGE' });
    expect(at.stream.isEmpty).toBe(true);
  });

  it('still has the messages of a rule that has left the file', async () => {
    {
      await using first = await openOutbox(folder.path, ruleOf(', name: old'));
      await first.outbox.append(first.stream.rule, MESSAGE);
    }
    await using second = await openOutbox(folder.path, NO_RULE);
    expect([...second.outbox.streams.keys()]).toEqual(['old']);
    expect(seqsOf(await second.outbox.read(second.stream, ALL))).toEqual([1]);
  });

  it('is used by one process at a time', async () => {
    await using first = await openOutbox(folder.path);
    const second = openOutbox(folder.path);
    await expect(second).rejects.toThrow(UnusableSettings);
    await expect(second).rejects.toThrow('in use by another process');
    expect(first.outbox.isWell).toBe(true);
  });

  it('says how to install the package that is missing', async () => {
    const missing = Object.assign(new Error('Cannot find package'), { code: 'ERR_MODULE_NOT_FOUND' });
    const opening = databaseOpener(folder.path, new EdgeEvents(), { load: () => Promise.reject(missing) });
    await expect(opening).rejects.toThrow('npm install classic-level@3');
  });

  it('keeps the age of messages while the clock of the system is set, and says so', async () => {
    await using at = await openOutbox(folder.path);
    vi.useFakeTimers();
    const before = at.outbox.clock.now();
    vi.setSystemTime(Date.now() + 86_400_000);
    expect(at.outbox.clock.now() - before).toBeLessThan(10_000);
    expect(at.outbox.clock.jump()).toBeGreaterThan(86_000_000);
    expect(at.outbox.clock.jump()).toBe(0);
    vi.setSystemTime(Date.now() - 2 * 86_400_000);
    expect(at.outbox.clock.jump()).toBeLessThan(-86_000_000);
    expect(at.outbox.clock.now() - before).toBeLessThan(10_000);
  });
});

describe('an outbox on a bad disk', () => {
  let folder: TemporaryFolder;
  beforeEach(async () => {
    folder = await temporaryFolder();
  });
  afterEach(() => folder[Symbol.asyncDispose]());

  it('tells every sender, and takes messages again when there is room', async () => {
    const events = new EdgeEvents();
    const openReal = await databaseOpener(folder.path, events);
    let isFull = false;
    const openDatabase = async (): Promise<EdgeDatabase> => {
      const database = await openReal();
      const write: EdgeDatabase['write'] = async (writes) => {
        if (isFull) throw Object.assign(new Error('No space left on device'), { code: 'LEVEL_IO_ERROR' });
        return database.write(writes);
      };
      return { ...database, write };
    };
    await using at = await openOutbox(folder.path, ruleOf(), openDatabase);
    const append = (data: unknown) => at.outbox.append(at.stream.rule, { channel: 'a:b', data });
    await append(1);
    isFull = true;
    for (const outcome of await Promise.allSettled([append(2), append(3)])) {
      expect(outcome).toMatchObject({ reason: { code: 'SERVER_BUSY', message: 'The outbox cannot be written' } });
    }
    expect(at.told).toEqual([['queued', 1], ['failed', 2], 'write_failed']);
    isFull = false;
    await vi.waitFor(() => expect(at.outbox.isWell).toBe(true), { timeout: 60_000 });
    await append(4);
    const stored = await at.outbox.read(at.stream, ALL);
    expect(stored.map(({ record }) => record?.data)).toEqual([1, 4]);
  });

  it('skips a record that is damaged, and keeps the others', async () => {
    await using at = await openOutbox(folder.path);
    await at.outbox.append(at.stream.rule, MESSAGE);
    await at.outbox.close();
    const database = await (await databaseOpener(folder.path, new EdgeEvents()))();
    await database.write([{ type: 'put', key: keyOf('default', 1), value: Buffer.from('nonsense') }]);
    await database.close();
    await using again = await openOutbox(folder.path);
    const stored = await again.outbox.read(again.stream, ALL);
    expect(stored).toMatchObject([{ seq: 1, record: undefined }]);
    await again.outbox.remove(again.stream, stored, { damaged: 1 });
    expect(await again.outbox.read(again.stream, ALL)).toEqual([]);
  });

  it.each([
    ['its table of contents is cut short', /^MANIFEST/, 7],
    ['its table of contents is missing', /^CURRENT$/, 0],
  ])('starts, and says what it did, although %s', async (_, pattern, length) => {
    {
      await using first = await openOutbox(folder.path);
      await first.outbox.append(first.stream.rule, { channel: 'a:b', data: 'kept' });
    }
    const path = join(folder.path, 'outbox');
    const name = (await readdir(path)).find((each) => pattern.test(each)) ?? '';
    await truncate(join(path, name), length);
    await using second = await openOutbox(folder.path);
    expect(second.told).toEqual(['repaired']);
    expect(await second.outbox.append(second.stream.rule, { channel: 'a:b', data: 'new' })).toBeGreaterThan(0);
    const stored = await second.outbox.read(second.stream, ALL);
    expect(stored.map(({ record }) => record?.data)).toEqual(['kept', 'new']);
    expect(second.stream.counts.count).toBe(stored.length);
  });

  it('begins with a new store beside the old one if nothing can be repaired', async () => {
    const path = join(folder.path, 'outbox');
    {
      await using first = await openOutbox(folder.path);
      await first.outbox.append(first.stream.rule, MESSAGE);
    }
    const events = new EdgeEvents();
    const told: string[] = [];
    events.on('fault', (fault) => told.push(fault));
    const { ClassicLevel } = await import('classic-level');
    class Unrepairable extends ClassicLevel<string, Buffer> {
      static override repair = (async () => {
        throw new Error('cannot be repaired');
      }) as typeof ClassicLevel.repair;
    }
    await writeFile(join(path, 'CURRENT'), 'nonsense\n');
    const open = await databaseOpener(folder.path, events, {
      load: async () => ({ ClassicLevel: Unrepairable }) as never,
    });
    const database = await open();
    expect(told).toEqual(['set_aside']);
    expect((await readdir(folder.path)).filter((name) => name.startsWith('outbox-corrupt-'))).toHaveLength(1);
    await database.close();
  });

  it('of an old image writes in a run of its own, so that nothing new passes for old', async () => {
    const image = join(folder.path, 'image');
    const append = async (path: string, data: unknown) => {
      await using at = await openOutbox(path);
      await at.outbox.append(at.stream.rule, { channel: 'a:b', data });
      return (await at.outbox.read(at.stream, ALL)).map(({ seq, record }) => [seq, record?.run, record?.data]);
    };
    await append(folder.path, 'before');
    await cp(join(folder.path, 'outbox'), join(image, 'outbox'), { recursive: true });
    const [kept, first] = await append(folder.path, 'first life');
    const [alsoKept, second] = await append(image, 'second life');
    expect(alsoKept).toEqual(kept);
    expect([first?.[0], second?.[0]]).toEqual([2, 2]);
    expect(first?.[1]).not.toBe(second?.[1]);
  });
});
