import { Injectable } from '@nestjs/common';
import { Broker, type ChannelName, type History, type Position } from '../../cluster/ports/broker.js';
import { isContinuedBy } from '../../cluster/ports/continuity.js';
import { NodeBus, type Answers } from '../../cluster/ports/node-bus.js';
import type { Channel } from '../channel.js';
import { Ledgers } from './ledgers.js';
import type { NodeAccount, Question, SessionAccount } from './node-account.js';
import { NodeAccounts } from './node-accounts.js';
import { bestOf, type OutcomeName, type PublicationOutcome } from './publication-outcome.js';

export interface Inquiry {
  readonly userId: string;
  readonly seq: number;
  /** The epoch of the channel; undefined: the newest that has the seq. */
  readonly epoch?: string | undefined;
}

/** Whether the publication is still in the history, gone, or was never there. */
export interface PublicationState {
  readonly state: 'kept' | 'gone' | 'never';
  /** Time of the publication; absent if no node that answered knows it. */
  readonly ts?: number;
  /** The current position of the channel. */
  readonly top: Position;
}

export interface NodeCover {
  readonly nodeId: string;
  readonly deliveriesSince: number;
  readonly sessionsSince: number;
}

/** Why a user received a publication, or did not. */
export interface Explanation extends PublicationOutcome {
  readonly publication: PublicationState;
  /** The best outcome first. */
  readonly sessions: readonly SessionAccount[];
  /** The nodes that answered, and how far back they know. */
  readonly nodes: readonly NodeCover[];
  /** Nodes that did not answer. */
  readonly missing: readonly string[];
}

interface Gathered {
  readonly accounts: ReadonlyMap<string, NodeAccount>;
  readonly missing: readonly string[];
}

const KIND = 'explain';
/** Outcomes that only say that nothing is known. They do not hold if a node did not answer. */
const NEGATIVE: ReadonlySet<OutcomeName> = new Set<OutcomeName>([
  'before_subscribe',
  'claimed',
  'not_subscribed',
  'offline',
  'never_published',
]);

/** Explains why a user did not get a publication, from the ledgers of all nodes that answer. */
@Injectable()
export class Explanations {
  constructor(
    private readonly broker: Broker,
    private readonly bus: NodeBus,
    private readonly here: NodeAccounts,
    private readonly ledgers: Ledgers,
  ) {
    bus.handle(KIND, (payload) => this.here.of(payload as Question));
  }

  /** Whether the channel's namespace has a ledger. */
  areKeptFor({ namespace }: Channel): boolean {
    return this.ledgers.of(namespace) !== undefined;
  }

  /** @throws GatehouseError SERVER_BUSY if the broker cannot be reached */
  async of(channel: Channel, inquiry: Inquiry): Promise<Explanation> {
    const publication = await this.stateOf(channel.name, inquiry);
    const { userId, seq, epoch } = inquiry;
    const question: Question = {
      channel: channel.name,
      namespace: channel.namespace.name,
      userId,
      seq,
      ...(epoch !== undefined && { epoch }),
      top: publication.top,
      ...(publication.ts !== undefined && { ts: publication.ts }),
    };
    let gathered = await this.gather(question);
    const ts = publication.ts ?? tsIn(gathered);
    // One node knows the time of the publication, so the others can say which sessions were open then.
    if (ts !== undefined && publication.ts === undefined) gathered = await this.gather({ ...question, ts });
    if (ts === undefined) return explanationOf(publication, gathered);
    // A node has the publication, but the channel is before it: Redis has lost it, or has only just reached it.
    const state = publication.state === 'never' ? 'gone' : publication.state;
    return explanationOf({ ...publication, state, ts }, gathered);
  }

  private async stateOf(name: ChannelName, { seq, epoch }: Inquiry): Promise<PublicationState> {
    const history = await this.broker.history(name, { afterSeq: seq - 1, limit: 1 });
    const { top, publications } = history;
    if (!isOfThisLife(history, seq, epoch)) return { state: 'gone', top };
    if (seq > top.seq) return { state: 'never', top };
    const [publication] = publications;
    return publication?.seq === seq ? { state: 'kept', ts: publication.ts, top } : { state: 'gone', top };
  }

  private async gather(question: Question): Promise<Gathered> {
    const { received, missing }: Answers<NodeAccount | null> = await this.bus.ask(KIND, question);
    const accounts = new Map<string, NodeAccount>();
    const here = this.here.of(question);
    if (here !== null) accounts.set(this.here.nodeId, here);
    // A node without a ledger for the namespace has nothing to say, which counts as no answer.
    const silent = [...missing];
    for (const [nodeId, account] of received) {
      if (account === null) silent.push(nodeId);
      else accounts.set(nodeId, account);
    }
    return { accounts, missing: silent };
  }
}

function isOfThisLife(history: History, seq: number, epoch: string | undefined): boolean {
  return epoch === undefined || epoch === history.top.epoch || isContinuedBy({ epoch, seq }, history);
}

function tsIn({ accounts }: Gathered): number | undefined {
  return [...accounts.values()].find(({ ts }) => ts !== undefined)?.ts;
}

function explanationOf(publication: PublicationState, { accounts, missing }: Gathered): Explanation {
  const sessions = [...accounts.values()].flatMap((account) => account.sessions);
  const nodes = [...accounts].map(([nodeId, { deliveriesSince, sessionsSince }]) => ({
    nodeId,
    deliveriesSince,
    sessionsSince,
  }));
  const { outcome, at, reason, gap } = verdictOf(publication, sessions, { nodes, missing });
  const verdict = {
    outcome,
    ...(at !== undefined && { at }),
    ...(reason !== undefined && { reason }),
    ...(gap && { gap }),
  };
  return { ...verdict, publication, sessions, nodes, missing };
}

function verdictOf(
  { state, ts }: PublicationState,
  sessions: readonly SessionAccount[],
  { nodes, missing }: Pick<Explanation, 'nodes' | 'missing'>,
): PublicationOutcome {
  const best = bestOf(sessions);
  if (best !== undefined && !NEGATIVE.has(best.outcome)) return best;
  if (state === 'never') return { outcome: 'never_published' };
  if (missing.length > 0) return { outcome: 'unknown', reason: 'node_missing' };
  const isCovered = ts !== undefined && nodes.every(({ sessionsSince }) => sessionsSince <= ts);
  if (!isCovered) return { outcome: 'unknown', reason: 'forgotten' };
  return best ?? { outcome: 'offline' };
}
