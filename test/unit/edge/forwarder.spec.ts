import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { parseEdgeRules } from '../../../config/edge-file.js';
import { EdgeEvents, type EdgeOutcome } from '../../../src/edge/edge-events.js';
import type { ForwardedRecord, ForwardReply } from '../../../src/edge/edge-protocol.js';
import { Forwarder } from '../../../src/edge/link/forwarder.js';
import type { Upstream } from '../../../src/edge/link/upstream.js';
import { databaseOpener } from '../../../src/edge/store/edge-database.js';
import type { OutboxStream } from '../../../src/edge/store/outbox-stream.js';
import { Outbox } from '../../../src/edge/store/outbox.js';
import { eventually } from '../../support/eventually.js';
import { temporaryFolder, type TemporaryFolder } from '../../support/temporary-folder.js';

interface Request {
  readonly run: string;
  readonly records: readonly ForwardedRecord[];
}

type Answer = (request: Request) => ForwardReply | Promise<ForwardReply>;

const HOUR_MS = 3_600_000;

function codedError(code: string): Error {
  return Object.assign(new Error(code), { code });
}

function allOf({ records }: Request): ForwardReply {
  return { upTo: records.at(-1)?.seq ?? 0, repeated: 0, refused: [] };
}

/** A centre that answers as the test says. */
class Centre {
  isUp = true;
  answer: Answer = allOf;
  readonly requests: Request[] = [];
  turnedAway = vi.fn<(error: Error) => void>();
  private waiting: (() => void)[] = [];

  whenUp(): Promise<void> {
    return this.isUp ? Promise.resolve() : new Promise((resolve) => this.waiting.push(resolve));
  }

  async request(_type: string, request: unknown): Promise<ForwardReply> {
    this.requests.push(request as Request);
    return this.answer(request as Request);
  }

  comeBack(): void {
    this.isUp = true;
    for (const wake of this.waiting.splice(0)) wake();
  }

  get data(): unknown[] {
    return this.requests.flatMap(({ records }) => records.map(({ data }) => data));
  }
}

describe('the forwarder of an edge node', () => {
  let folder: TemporaryFolder;
  let outbox: Outbox;
  let stream: OutboxStream;
  let forwarder: Forwarder;
  let centre: Centre;
  let outcomes: Partial<Record<EdgeOutcome, number>>;

  beforeEach(async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] });
    folder = await temporaryFolder();
    const events = new EdgeEvents();
    outcomes = {};
    events.on('settled', (outcome, _rule, count) => (outcomes[outcome] = (outcomes[outcome] ?? 0) + count));
    const { forward } = parseEdgeRules(`forward: { channels: ['*'], ttl: 2h }`, new Map());
    outbox = await Outbox.open({ openDatabase: await databaseOpener(folder.path, events), rules: forward, events });
    [stream] = [...outbox.streams.values()] as [OutboxStream];
    centre = new Centre();
    forwarder = new Forwarder({ outbox, stream, upstream: centre as unknown as Upstream, events, before: [] });
  });

  afterEach(async () => {
    const stopping = forwarder.stop();
    centre.comeBack();
    await vi.advanceTimersByTimeAsync(20_000);
    await stopping;
    await outbox.close();
    vi.useRealTimers();
    await folder[Symbol.asyncDispose]();
  });

  const append = (data: unknown) => outbox.append(stream.rule, { channel: 'a:b', data });
  /** Time passes as fast as the disk allows. */
  const emptied = () =>
    eventually('the outbox is empty', async () => {
      await vi.advanceTimersByTimeAsync(1_000);
      return stream.isEmpty;
    });

  it('keeps everything through an hour of a black hole, and sends it in order afterwards', async () => {
    centre.isUp = false;
    forwarder.start();
    for (let minute = 0; minute < 60; minute += 1) {
      await append(minute);
      await vi.advanceTimersByTimeAsync(60_000);
    }
    expect(centre.requests).toEqual([]);
    centre.comeBack();
    await emptied();
    expect(centre.data).toEqual(Array.from({ length: 60 }, (_, minute) => minute));
    expect(outcomes).toEqual({ queued: 60, forwarded: 60 });
    const [first] = centre.requests[0]?.records ?? [];
    expect(first?.ttlMs).toBeLessThanOrEqual(HOUR_MS + 60_000);
  });

  it('drops what is older than its rule allows, and counts it', async () => {
    centre.isUp = false;
    forwarder.start();
    await append('old');
    await vi.advanceTimersByTimeAsync(2 * HOUR_MS + 1_000);
    await append('new');
    centre.comeBack();
    await emptied();
    expect(centre.data).toEqual(['new']);
    expect(outcomes).toEqual({ queued: 2, expired: 1, forwarded: 1 });
    expect(stream.counts.lost.expired).toBe(1);
  });

  it.each(['NO_ANSWER', 'CONNECTION_LOST', 'SERVER_BUSY', 'INTERNAL_ERROR'])(
    'sends the same records again after %s, and none is lost or counted twice',
    async (code) => {
      for (const data of [1, 2, 3]) await append(data);
      let failures = 3;
      centre.answer = (request) => {
        if (failures > 0) {
          failures -= 1;
          throw codedError(code);
        }
        return { ...allOf(request), repeated: 2 };
      };
      forwarder.start();
      await emptied();
      expect(centre.requests.map(({ records }) => records.map(({ data }) => data))).toEqual(
        Array.from({ length: 4 }, () => [1, 2, 3]),
      );
      expect(outcomes).toEqual({ queued: 3, forwarded: 1, repeated: 2 });
    },
  );

  it('forgets only what the centre has answered for', async () => {
    for (const data of [1, 2, 3]) await append(data);
    centre.answer = ({ records }) => ({ upTo: records[0]?.seq ?? 0, repeated: 0, refused: [] });
    forwarder.start();
    await emptied();
    expect(centre.requests.map(({ records }) => records.map(({ data }) => data))).toEqual([[1, 2, 3], [2, 3], [3]]);
  });

  it('sends less at one time if the centre takes only smaller messages, and gives up on one that is too large alone', async () => {
    for (const data of ['small', 'large', 'small too']) await append(data);
    centre.answer = (request) => {
      if (request.records.some(({ data }) => data === 'large')) throw codedError('MESSAGE_TOO_LARGE');
      return allOf(request);
    };
    forwarder.start();
    await emptied();
    expect(outcomes).toEqual({ queued: 3, forwarded: 2, refused: 1 });
  });

  it('leaves a server alone that takes nothing from edges', async () => {
    await append(1);
    centre.answer = () => {
      throw codedError('FORBIDDEN');
    };
    forwarder.start();
    await eventually('it is told', () => centre.turnedAway.mock.calls.length > 0);
    expect(stream.isEmpty).toBe(false);
  });
});
