import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { parseNamespaces } from '../../../config/namespaces.js';
import type { ChannelName, Position } from '../../../src/cluster/ports/broker.js';
import { EdgeEvents, type MirrorOutcome } from '../../../src/edge/edge-events.js';
import type { UpstreamPush } from '../../../src/edge/link/client-library.js';
import type { Upstream } from '../../../src/edge/link/upstream.js';
import { MirrorStore } from '../../../src/edge/mirror/mirror-store.js';
import { Mirror } from '../../../src/edge/mirror/mirror.js';
import { databaseOpener, type EdgeDatabase } from '../../../src/edge/store/edge-database.js';
import { eventually } from '../../support/eventually.js';
import { temporaryFolder, type TemporaryFolder } from '../../support/temporary-folder.js';

interface Opening {
  readonly openDatabase?: () => Promise<EdgeDatabase>;
  readonly budgetBytes?: number;
  readonly patterns?: readonly string[];
}

type Answer = (channel: string, since: Position) => unknown;

const A = 'feed:a' as ChannelName;
const HOUR_MS = 3_600_000;
const NAMESPACES = parseNamespaces('namespaces: { feed: { subscribe: anyone, history: { size: 5, age: 1h } } }');

/** A centre that answers subscribes as the test says. */
class Centre {
  isUp = true;
  answer: Answer = () => new Promise(() => {});
  readonly asked: Position[] = [];
  readonly left: string[] = [];

  listen(): void {}

  async request(type: string, data: unknown): Promise<unknown> {
    const { channel, since } = data as { channel: string; since: Position };
    if (type === 'unsubscribe') return this.left.push(channel);
    this.asked.push(since);
    return this.answer(channel, since);
  }
}

function coded(code: string): Error {
  return Object.assign(new Error(code), { code });
}

/** The answer of a centre that has these publications. */
function answer(epoch: string, seq: number, seqs: readonly number[], gap?: { from: number | null; to: number }) {
  return { epoch, seq, publications: seqs.map((each) => ({ seq: each, ts: Date.now(), data: each })), gap };
}

function push(epoch: string, seq: number): UpstreamPush {
  return { type: 'message', channel: A, epoch, seq, ts: Date.now(), data: seq };
}

describe('the mirror of an edge node', () => {
  let folder: TemporaryFolder;
  let centre: Centre;
  let mirror: Mirror;
  let events: EdgeEvents;
  let told: string[];
  let outcomes: Partial<Record<MirrorOutcome, number>>;

  async function open({ openDatabase, budgetBytes = 0, patterns = ['feed:*'] }: Opening = {}): Promise<void> {
    centre = new Centre();
    const opener = openDatabase ?? (await databaseOpener(folder.path, events, { name: 'mirror' }));
    const store = await MirrorStore.open(opener, events);
    const upstream = centre as unknown as Upstream;
    mirror = new Mirror({ patterns, namespaces: NAMESPACES, budgetBytes, upstream, store, events });
    mirror.listen({
      published: (_name, { seq }, epoch) => told.push(`${epoch} ${seq}`),
      interrupted: (name) => told.push(`look at ${name}`),
    });
  }

  async function seqs(): Promise<number[]> {
    return (await mirror.history(A, {})).publications.map(({ seq }) => seq);
  }

  beforeEach(async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance', 'Date'] });
    folder = await temporaryFolder();
    events = new EdgeEvents();
    told = [];
    outcomes = {};
    events.on('mirrored', (outcome, count) => (outcomes[outcome] = (outcomes[outcome] ?? 0) + count));
    await open();
  });

  afterEach(async () => {
    await mirror.close();
    vi.useRealTimers();
    await folder[Symbol.asyncDispose]();
  });

  it('takes what follows, drops what it has, and asks the centre about everything else', async () => {
    centre.answer = () => answer('e', 2, [1, 2], { from: null, to: 0 });
    await mirror.follow(A);
    expect(centre.asked).toEqual([{ epoch: 'none', seq: 0 }]);
    for (const seq of [3, 2, 3, 4]) mirror.pushed(push('e', seq));
    mirror.pushed({ type: 'gap', channel: A, epoch: 'e', data: { from: 2, to: 4 } });
    expect(told).toEqual(['look at feed:a', 'e 3', 'e 4']);
    expect(outcomes).toEqual({ received: 4, repeated: 3 });
    expect(centre.asked).toHaveLength(1);

    centre.answer = () => answer('e', 7, [5, 6, 7]);
    mirror.pushed(push('e', 6));
    await eventually('it has asked', () => told.length === 4);
    expect(centre.asked[1]).toEqual({ epoch: 'e', seq: 4 });
    expect(await seqs()).toEqual([3, 4, 5, 6, 7]);
    expect(outcomes.gap).toBeUndefined();
  });

  it('keeps what arrives while the centre answers, and asks once more if that was too much', async () => {
    let reply: (data: unknown) => void = () => {};
    centre.answer = () => new Promise((resolve) => (reply = resolve));
    const following = mirror.follow(A);
    mirror.pushed(push('e', 2));
    mirror.pushed(push('e', 3));
    await eventually('it asks', () => centre.asked.length === 1);
    reply(answer('e', 2, [1, 2], { from: null, to: 0 }));
    await following;
    expect(told).toEqual(['look at feed:a', 'e 3']);

    mirror.distrust();
    for (let seq = 4; seq < 1_010; seq += 1) mirror.pushed(push('e', seq));
    await eventually('it asks again', () => centre.asked.length === 2);
    reply(answer('e', 3, []));
    await eventually('it asks for the rest', () => centre.asked.length === 3);
    expect(centre.asked[2]).toEqual({ epoch: 'e', seq: 1_003 });
  });

  it('continues in a new epoch if the centre does, and begins again if it does not', async () => {
    centre.answer = () => answer('e', 2, [1, 2], { from: null, to: 0 });
    await mirror.follow(A);
    centre.answer = () => answer('f', 4, [3, 4]);
    mirror.pushed(push('f', 4));
    await eventually('it continues', () => told.length === 2);
    expect(await mirror.history(A, {})).toMatchObject({
      top: { epoch: 'f', seq: 4 },
      continues: [{ epoch: 'e', seq: 2 }],
      publications: [{ seq: 1 }, { seq: 2 }, { seq: 3 }, { seq: 4 }],
      mayTrail: true,
    });
    centre.answer = () => answer('g', 1, [1], { from: null, to: 0 });
    mirror.greeted();
    await eventually('it begins again', () => told.length === 3);
    expect(await mirror.history(A, {})).toMatchObject({ top: { epoch: 'g', seq: 1 }, continues: [] });
    // A centre that was restored from a backup: who is ahead of it has lost something.
    centre.answer = () => answer('g', 0, [], { from: null, to: 0 });
    mirror.greeted();
    await eventually('it goes back', () => told.length === 4);
    expect(await mirror.history(A, {})).toMatchObject({ top: { epoch: 'g', seq: 0 }, mayTrail: false });
    expect(outcomes.gap).toBe(2);
  });

  it('keeps the place of what has expired at the centre, and not of what is lost', async () => {
    centre.answer = () => answer('e', 1, [1], { from: null, to: 0 });
    await mirror.follow(A);
    centre.answer = () => answer('e', 6, [4, 6], { from: 2, to: 3 });
    mirror.greeted();
    await eventually('it is there', () => told.length === 2);
    const { publications } = await mirror.history(A, {});
    expect(publications.map(({ seq, expiresAt }) => [seq, expiresAt])).toEqual([
      [1, undefined],
      [4, undefined],
      [5, 0],
      [6, undefined],
    ]);
  });

  it('asks again as long as there is no answer, for hours, and with pauses', async () => {
    await mirror.close();
    await open({ patterns: [A] });
    centre.answer = () => Promise.reject(coded('NO_ANSWER'));
    mirror.greeted();
    await vi.advanceTimersByTimeAsync(HOUR_MS);
    // 10 s apart at most.
    expect(centre.asked.length).toBeGreaterThan(360);
    expect(centre.asked.length).toBeLessThan(800);
    centre.answer = () => answer('e', 1, [1]);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(await seqs()).toEqual([1]);
  });

  it('asks for a refused channel every 30 s', async () => {
    const refusals: string[] = [];
    events.on('mirror_refused', (reason) => refusals.push(reason));
    centre.answer = () => answer('e', 0, []);
    await mirror.follow(A);
    mirror.pushed({ type: 'unsubscribed', channel: A, data: { code: 'FORBIDDEN' } });
    centre.answer = () => ({ recovered: false, publications: [] });
    await vi.advanceTimersByTimeAsync(95_000);
    expect(refusals).toEqual(['FORBIDDEN', 'NO_HISTORY', 'NO_HISTORY', 'NO_HISTORY']);
    expect(outcomes.refused).toBe(4);
    centre.answer = () => answer('e', 1, [1]);
    await vi.advanceTimersByTimeAsync(30_000);
    expect(await seqs()).toEqual([1]);
  });

  it('leaves a channel at the centre a while after nobody reads it any more, and keeps its history', async () => {
    centre.answer = () => answer('e', 1, [1]);
    await mirror.follow(A);
    mirror.leave(A);
    await vi.advanceTimersByTimeAsync(9_000);
    expect(centre.left).toEqual([]);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(centre.left).toEqual([A]);
    mirror.pushed(push('e', 2));
    centre.isUp = false;
    expect(await seqs()).toEqual([1]);
  });

  it('keeps no more than its namespace says, and forgets what is older', async () => {
    centre.answer = () => answer('e', 0, []);
    await mirror.follow(A);
    for (let seq = 1; seq <= 23; seq += 1) mirror.pushed(push('e', seq));
    expect(await seqs()).toEqual([19, 20, 21, 22, 23]);
    await vi.advanceTimersByTimeAsync(HOUR_MS + 10_000);
    expect(await seqs()).toEqual([]);
    expect(await mirror.history(A, {})).toMatchObject({ top: { epoch: 'e', seq: 23 } });
  });

  it('keeps to its budget: idle channels lose their history first', async () => {
    await mirror.close();
    await open({ budgetBytes: 1_500 });
    centre.answer = (channel) => (channel === A ? answer('e', 2, [1, 2]) : answer('e', 0, []));
    await mirror.follow(A);
    await mirror.follow('feed:b' as ChannelName);
    for (let seq = 1; seq <= 3; seq += 1) mirror.pushed({ ...push('e', seq), channel: 'feed:b' });
    expect(await seqs()).toEqual([]);
    expect((await mirror.history('feed:b' as ChannelName, {})).publications).toHaveLength(3);
  });

  describe('on the disk', () => {
    it('is where it was after a restart, and goes on from there', async () => {
      centre.answer = () => answer('e', 2, [1, 2], { from: null, to: 0 });
      await mirror.follow(A);
      for (let seq = 3; seq <= 12; seq += 1) mirror.pushed(push('e', seq));
      await mirror.close();
      await open();
      centre.answer = () => answer('e', 13, [13]);
      await mirror.follow(A);
      expect(centre.asked).toEqual([{ epoch: 'e', seq: 12 }]);
      expect(await seqs()).toEqual([9, 10, 11, 12, 13]);
      await mirror.close();
      await open();
      centre.isUp = false;
      expect(await mirror.history(A, {})).toMatchObject({ top: { epoch: 'e', seq: 13 } });
    });

    it('tells a loss if it is an old image, and the centre has forgotten what followed', async () => {
      centre.answer = () => answer('e', 2, [1, 2], { from: null, to: 0 });
      await mirror.follow(A);
      await mirror.close();
      await open();
      centre.answer = () => answer('e', 90, [89, 90], { from: 3, to: 88 });
      await mirror.follow(A);
      expect(await seqs()).toEqual([1, 2, 89, 90]);
      expect(outcomes.gap).toBe(1);
    });

    it('forgets what the file does not mirror any more', async () => {
      centre.answer = () => answer('e', 1, [1]);
      await mirror.follow(A);
      await mirror.close();
      await open({ patterns: ['x:*'] });
      await mirror.close();
      await open();
      centre.isUp = false;
      await expect(mirror.follow(A)).rejects.toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' });
    });

    it('is written again when a full disk has room, and holds nobody up meanwhile', async () => {
      await mirror.close();
      let isFull = true;
      const faults: string[] = [];
      events.on('fault', (fault, detail) => faults.push(`${fault} ${detail}`));
      const openReal = await databaseOpener(folder.path, events, { name: 'mirror' });
      let opened = 0;
      const openDatabase = async (): Promise<EdgeDatabase> => {
        const database = await openReal();
        opened += 1;
        const write: EdgeDatabase['write'] = (...given) =>
          isFull ? Promise.reject(coded('ENOSPC')) : database.write(...given);
        return { ...database, write };
      };
      await open({ openDatabase });
      centre.answer = () => answer('e', 2, [1, 2], { from: null, to: 0 });
      await mirror.follow(A);
      mirror.pushed(push('e', 3));
      expect(await seqs()).toEqual([1, 2, 3]);
      await eventually('the fault is told', () => faults.length > 0);
      expect(faults[0]).toBe('write_failed mirror: ENOSPC: ENOSPC');
      isFull = false;
      await eventually('it is open again', async () => {
        await vi.advanceTimersByTimeAsync(1_000);
        return opened === 2;
      });
      mirror.pushed(push('e', 4));
      await mirror.close();
      await open();
      centre.isUp = false;
      expect(await seqs()).toEqual([1, 2, 3, 4]);
    });
  });
});
