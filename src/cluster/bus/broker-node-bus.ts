import type { Broker, BrokerListener, ChannelName, Publication } from '../ports/broker.js';
import { read, written, type Answer, type Origin, type BusMessage } from './bus-messages.js';
import type { ClusterEvents, ClusterLoss } from '../ports/cluster-events.js';
import { newEpoch } from '../ports/epoch.js';
import { ExpiringMap } from '../ports/expiring-map.js';
import type { Answers, AskOptions, BusHandler, NodeBus } from '../ports/node-bus.js';
import type { NodeRegistry } from '../ports/node-registry.js';
import { OpenQuestions } from './open-questions.js';

const DEFAULT_TIMEOUT_MS = 2_000;
/** Pause before subscribing is tried again while the broker cannot be reached. */
const RETRY_MS = 200;
/** How long the start of the node waits for the bus. The node also starts without the broker. */
const START_PATIENCE_MS = 1_000;
/** Messages in transit at one time. Beyond it the broker is too slow, and further messages are lost. */
const MAX_UNDER_WAY = 10_000;
/** How long, and how many, message ids are remembered, because a broker may deliver a message twice. */
const REPEAT_MS = 30_000;
const MAX_REMEMBERED = 20_000;

/** Every node subscribes to this channel. No client can name it. */
const ALL_NODES = '@nodes' as ChannelName;

/** Only this node subscribes to this channel. */
function channelOf(nodeId: string): ChannelName {
  return `@node:${nodeId}` as ChannelName;
}

export interface BusParts {
  readonly broker: Broker;
  /** Whether the broker reaches other nodes at the moment. If not, it may still deliver to its own node. */
  readonly isConnected: () => boolean;
  readonly registry: NodeRegistry;
  readonly events: ClusterEvents;
}

/** Messages between nodes are publications without history, in channels that belong to the nodes. */
export class BrokerNodeBus implements NodeBus, BrokerListener {
  readonly reachesOthers = true;
  private readonly self: Origin;
  private readonly handlers = new Map<string, BusHandler>();
  private readonly questions = new OpenQuestions();
  private readonly heard = new ExpiringMap<true>(REPEAT_MS, MAX_REMEMBERED);
  private spoken = 0;
  private underWay = 0;
  private isClosed = false;
  private retry: NodeJS.Timeout | undefined;

  constructor(private readonly parts: BusParts) {
    this.self = { nodeId: parts.registry.self.nodeId, life: newEpoch() };
    parts.broker.listen(this);
  }

  /**
   * Resolves when this node hears the others. If the broker cannot be reached, it resolves after a second and keeps
   * trying.
   */
  async start(): Promise<void> {
    await new Promise<void>((resolve) => {
      const patience = setTimeout(resolve, START_PATIENCE_MS);
      void this.subscribe(() => {
        clearTimeout(patience);
        resolve();
      });
    });
  }

  close(): void {
    this.isClosed = true;
    clearTimeout(this.retry);
    this.questions.closeAll();
  }

  get isConnected(): boolean {
    return this.parts.isConnected();
  }

  /** Messages that have not left yet, and questions without an answer. */
  get backlog(): { readonly words: number; readonly questions: number } {
    return { words: this.underWay, questions: this.questions.size };
  }

  handle(kind: string, handler: BusHandler): void {
    if (this.handlers.has(kind)) throw new Error(`The node bus already has a handler for messages of the kind ${kind}`);
    this.handlers.set(kind, handler);
  }

  tell(kind: string, payload: unknown, nodes?: readonly string[]): void {
    const message = this.messageOf(kind, payload, false);
    if (nodes === undefined) void this.send(ALL_NODES, message, 'word');
    else for (const nodeId of this.othersOf(nodes)) void this.send(channelOf(nodeId), message, 'word');
  }

  async ask<T>(kind: string, payload: unknown, options: AskOptions = {}): Promise<Answers<T>> {
    const { nodes, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
    const asked = this.othersOf(nodes ?? this.parts.registry.nodes.map(({ nodeId }) => nodeId));
    if (this.isClosed || this.questions.isFull) return this.counted({ received: new Map<string, T>(), missing: asked });
    const message = this.messageOf(kind, payload, true);
    const { id } = message;
    const answers = this.questions.add(id, asked, timeoutMs);
    if (nodes === undefined) {
      // Sent even if no other node is known: a node that has just started hears it, though nobody waits for its answer.
      void this.send(ALL_NODES, message, 'question').then((isSent) => isSent || this.questions.close(id));
    } else {
      for (const nodeId of asked)
        void this.send(channelOf(nodeId), message, 'question').then(
          (isSent) => isSent || this.questions.failed(id, nodeId),
        );
    }
    return this.counted((await answers) as Answers<T>);
  }

  published(channel: ChannelName, { data }: Publication): void {
    if (channel !== ALL_NODES && channel !== channelOf(this.self.nodeId)) return;
    const word = read(data);
    if (this.isClosed || word === undefined || word.from.life === this.self.life) return;
    if ('answers' in word) this.hearAnswer(word);
    else if (!this.isRepeat(word)) void this.hear(word);
  }

  interrupted(channel?: ChannelName): void {
    if (channel === undefined) this.parts.events.emit('rejoined');
  }

  private messageOf(kind: string, payload: unknown, isQuestion: boolean): BusMessage {
    this.spoken += 1;
    return { from: this.self, id: String(this.spoken), kind, payload, isQuestion };
  }

  private isRepeat({ from, id }: BusMessage): boolean {
    const key = `${from.life} ${id}`;
    if (this.heard.get(key)) return true;
    this.heard.set(key, true);
    return false;
  }

  private async hear({ from, id, kind, payload, isQuestion }: BusMessage): Promise<void> {
    const answer = await this.answerTo(kind, payload, from.nodeId);
    if (!isQuestion) return;
    const word: Answer = { ...answer, from: this.self, answers: id };
    await this.send(channelOf(from.nodeId), word, 'answer');
  }

  private async answerTo(kind: string, payload: unknown, fromNodeId: string): Promise<Pick<Answer, 'ok' | 'payload'>> {
    try {
      const handler = this.handlers.get(kind);
      // A newer release may know kinds that this one does not.
      if (handler === undefined) return { ok: false, payload: undefined };
      return { ok: true, payload: await handler(payload, fromNodeId) };
    } catch (error) {
      this.parts.events.emit('crashed', `the node bus handler of ${kind}`, error);
      return { ok: false, payload: undefined };
    }
  }

  private hearAnswer({ answers, from, ok, payload }: Answer): void {
    if (ok) this.questions.answered(answers, from.nodeId, payload);
    else this.questions.failed(answers, from.nodeId);
  }

  /** Resolves with whether the message has left. Never rejects. */
  private async send(channel: ChannelName, word: BusMessage | Answer, what: ClusterLoss): Promise<boolean> {
    if (this.underWay >= MAX_UNDER_WAY || !this.parts.isConnected()) return this.lost(what);
    this.underWay += 1;
    try {
      const draft = { data: written(word), from: undefined, excludeSession: undefined, expiresAt: undefined };
      await this.parts.broker.publish(channel, draft, { history: undefined, idempotencyKey: undefined });
      return true;
    } catch {
      return this.lost(what);
    } finally {
      this.underWay -= 1;
    }
  }

  private lost(what: ClusterLoss): false {
    this.parts.events.emit('lost', what, 1);
    return false;
  }

  private counted<T>(answers: Answers<T>): Answers<T> {
    if (answers.missing.length > 0) this.parts.events.emit('lost', 'answer', answers.missing.length);
    return answers;
  }

  private othersOf(nodes: readonly string[]): readonly string[] {
    return [...new Set(nodes)].filter((nodeId) => nodeId !== this.self.nodeId);
  }

  private async subscribe(done: () => void): Promise<void> {
    if (this.isClosed) return;
    try {
      const { broker } = this.parts;
      await Promise.all([broker.subscribe(ALL_NODES), broker.subscribe(channelOf(this.self.nodeId))]);
      this.parts.events.emit('rejoined');
      done();
    } catch {
      if (this.isClosed) return;
      this.retry = setTimeout(() => void this.subscribe(done), RETRY_MS).unref();
    }
  }
}
