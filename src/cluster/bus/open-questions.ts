import type { Answers } from '../ports/node-bus.js';

/** Questions that may wait for answers at one time. Beyond it, all nodes that are asked count as missing at once. */
export const MAX_OPEN_QUESTIONS = 10_000;

interface OpenQuestion {
  readonly received: Map<string, unknown>;
  /** Nodes that have not answered yet. */
  readonly awaited: Set<string>;
  /** Nodes that will not answer. */
  readonly missing: string[];
  readonly timer: NodeJS.Timeout;
  readonly settle: (answers: Answers<unknown>) => void;
}

/** Questions of this node that wait for answers. */
export class OpenQuestions {
  private readonly open = new Map<string, OpenQuestion>();

  get size(): number {
    return this.open.size;
  }

  get isFull(): boolean {
    return this.open.size >= MAX_OPEN_QUESTIONS;
  }

  /** Resolves when the last node has answered or the time is over. */
  add(id: string, nodes: readonly string[], timeoutMs: number): Promise<Answers<unknown>> {
    return new Promise<Answers<unknown>>((settle) => {
      const timer = setTimeout(() => this.close(id), timeoutMs).unref();
      this.open.set(id, { received: new Map(), awaited: new Set(nodes), missing: [], timer, settle });
      if (nodes.length === 0) this.close(id);
    });
  }

  /** Late answers are dropped. Answers of nodes that were not known when the question was asked count. */
  answered(id: string, nodeId: string, payload: unknown): void {
    const question = this.open.get(id);
    if (question === undefined) return;
    question.received.set(nodeId, payload);
    this.noLongerAwaited(id, question, nodeId);
  }

  /** The node could not be asked, or could not answer. */
  failed(id: string, nodeId: string): void {
    const question = this.open.get(id);
    if (question === undefined || question.received.has(nodeId)) return;
    if (question.awaited.has(nodeId)) question.missing.push(nodeId);
    this.noLongerAwaited(id, question, nodeId);
  }

  /** Nodes that have not answered by now are missing. */
  close(id: string): void {
    const question = this.open.get(id);
    if (question === undefined) return;
    this.open.delete(id);
    clearTimeout(question.timer);
    question.settle({ received: question.received, missing: [...question.missing, ...question.awaited] });
  }

  closeAll(): void {
    for (const id of this.open.keys()) this.close(id);
  }

  private noLongerAwaited(id: string, { awaited }: OpenQuestion, nodeId: string): void {
    awaited.delete(nodeId);
    if (awaited.size === 0) this.close(id);
  }
}
