import { setImmediate as settled } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Subscribed } from '../../../src/channels/subscribe-options.js';
import type { Gap } from '../../../src/channels/recovery/gap.js';
import { accountOf } from '../../../src/channels/ledger/node-account.js';
import { bestOf, type PublicationOutcome } from '../../../src/channels/ledger/publication-outcome.js';
import type { Position } from '../../../src/cluster/ports/broker.js';
import type { SessionRegistry } from '../../../src/sessions/session-registry.js';
import { channelNode, NAME, ReadableSession, type ChannelNode } from './node.js';

/** A user with one session at a time, who knows what came. */
class User {
  readonly had = new Set<number>();
  readonly lost: Gap[] = [];
  private session: ReadableSession | undefined;
  private pending: Promise<Subscribed | undefined> | undefined;
  private isLive = false;
  private read = 0;
  private position: Position | undefined;
  private formerSession: string | undefined;
  /** Whether it has subscribed more than once in a session: of many such, some are forgotten. */
  isRestless = false;

  constructor(
    private readonly node: ChannelNode,
    readonly name: string,
  ) {}

  get sessions(): readonly ReadableSession[] {
    return this.session ? [this.session] : [];
  }

  get sessionId(): string | undefined {
    return this.session?.id ?? this.formerSession;
  }

  connect(): void {
    if (this.session) return;
    this.session = new ReadableSession(this.name);
    const wish = { since: this.position, previousSession: this.formerSession };
    this.pending = this.node.subscribe(this.session, wish).catch(() => undefined);
  }

  /** Recovers once more in the same session, from a little further back. */
  again(back: number): void {
    if (!this.session || !this.isLive || !this.position) return;
    this.readAll();
    const { epoch, seq } = this.position;
    const wish = { since: { epoch, seq: Math.max(0, seq - back) }, previousSession: this.formerSession };
    this.isLive = false;
    this.isRestless = true;
    this.pending = this.node.subscribe(this.session, wish).catch(() => undefined);
  }

  async goLive(): Promise<void> {
    if (this.isLive || !this.pending) return;
    await settled();
    const reply = await Promise.race([this.pending, settled('still waiting' as const)]);
    if (reply === 'still waiting') return;
    if (reply === undefined) return this.leave();
    const { epoch = '', seq = 0, publications, gap } = reply;
    for (const publication of publications) this.had.add(publication.seq);
    if (gap) this.lost.push(gap);
    this.position = { epoch, seq };
    reply.goLive();
    this.isLive = true;
  }

  leave(): void {
    if (!this.session) return;
    this.readAll();
    this.formerSession = this.session.id;
    this.node.leave(this.session);
    Object.assign(this, { session: undefined, pending: undefined, isLive: false, read: 0 });
  }

  readAll(): void {
    const { got = [] } = this.session ?? {};
    for (; this.read < got.length; this.read += 1) {
      const { type, epoch = '', seq = 0, data } = got[this.read] ?? { type: '' };
      if (type === 'gap') this.lost.push(data as Gap);
      else this.had.add(seq);
      this.position = { epoch, seq: type === 'gap' ? (data as Gap).to : seq };
    }
  }

  wasToldOfLoss(seq: number): boolean {
    return this.lost.some(({ from, to }) => seq >= (from ?? 0) && seq <= to);
  }
}

function verdictOf(node: ChannelNode, user: User, seq: number): PublicationOutcome | undefined {
  const { broker, ledgers, hub, channel } = node;
  const ledger = ledgers.of(channel.namespace);
  if (ledger === undefined) throw new Error('there is no ledger');
  const question = {
    channel: NAME,
    namespace: 'log',
    userId: user.name,
    seq,
    top: { epoch: broker.epoch, seq: broker.seq },
  };
  const sessions = { ofUser: () => user.sessions } as unknown as SessionRegistry;
  return bestOf(accountOf(question, { nodeId: 'here', ledgers, ledger, sessions, local: hub.get(NAME) }).sessions);
}

const USERS = ['ann', 'bob'];
const STEPS = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ step: fc.constant('publish'), user: fc.nat(USERS.length) }) },
    {
      weight: 5,
      arbitrary: fc.record({
        step: fc.constantFrom('connect', 'go live', 'go live', 'leave'),
        user: fc.nat(USERS.length - 1),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ step: fc.constant('again'), user: fc.nat(USERS.length - 1) }),
    },
    {
      weight: 4,
      arbitrary: fc.record({
        step: fc.constantFrom('lose', 'interrupt', 'pause', 'hold history', 'let go', 'forget', 'away', 'back'),
        user: fc.nat(3),
      }),
    },
  ),
  { minLength: 10, maxLength: 80 },
);

async function play(steps: readonly { step: string; user: number }[]): Promise<void> {
  using node = channelNode('history: { size: 100, age: 1h }, ledger: true');
  const { broker, hub } = node;
  const users = USERS.map((name) => new User(node, name));
  /** By seq: the session that was not to get it. */
  const excluded = new Map<number, string>();
  let open = (): void => {};
  const publish = (user: number): void => {
    const excludeSession = users[user]?.sessionId;
    if (excludeSession !== undefined) excluded.set(broker.seq + 1, excludeSession);
    broker.send({ excludeSession });
  };
  const acts: Record<string, (user: number) => unknown> = {
    publish,
    connect: (user) => users[user]?.connect(),
    again: (user) => users[user]?.again(broker.seq % 5),
    'go live': (user) => users[user]?.goLive(),
    leave: (user) => users[user]?.leave(),
    lose: () => broker.append(),
    interrupt: () => broker.interrupt(),
    pause: () => settled(),
    'hold history': () => {
      open();
      const door = broker.holdHistory();
      open = () => door.open();
    },
    'let go': () => open(),
    forget: (newest) => broker.keep(newest),
    away: () => (broker.isAway = true),
    back: () => (broker.isAway = false),
  };
  for (const { step, user } of steps) {
    await acts[step]?.(user);
    for (const each of users) each.readAll();
  }
  broker.isAway = false;
  open();
  await settled();
  broker.interrupt();
  hub.tick(performance.now());
  await settled();
  for (const user of users) user.readAll();
  for (const user of users) {
    for (let seq = 1; seq <= broker.seq; seq += 1) hold(user, seq, verdictOf(node, user, seq));
  }
}

/** What the ledger says of a user and a seq, against what the user saw. */
function hold(user: User, seq: number, verdict: PublicationOutcome | undefined): void {
  const outcome = verdict?.outcome ?? 'offline';
  const claim = { user: user.name, seq, outcome };
  if (user.isRestless && outcome === 'unknown') return;
  if (user.had.has(seq))
    expect({ ...claim, is: ['delivered', 'recovered'].includes(outcome) }).toEqual({ ...claim, is: true });
  else if (user.wasToldOfLoss(seq)) expect(claim).toEqual({ ...claim, outcome: 'gap_announced' });
  else expect(['delivered', 'recovered', 'gap_announced', 'unknown', 'not_arrived']).not.toContain(outcome);
}

it('whatever is lost, late, forgotten or excluded: the ledger says that it came where it came, and only there', async () => {
  await fc.assert(fc.asyncProperty(STEPS, play), { numRuns: 200 });
});
