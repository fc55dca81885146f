import type { Answers } from '../ports/node-bus.js';

/** Questions that may wait for answers at one time; beyond it, all that are asked are missing at once. */
export const MAX_OPEN_QUESTIONS = 10_000;

interface OpenQuestion {
  readonly received: Map<string, unknown>;
  /** Nodes that have not answered yet. */
  readonly awaited: Set<string>;
  /** Nodes that will not. */
  readonly missing: string[];
  readonly timer: NodeJS.Timeout;
  readonly settle: (answers: Answers<unknown>) => void;
}

/** What this node has asked and has not been answered yet. */
export class OpenQuestions {
  private readonly open = new Map<string, OpenQuestion>();

  get size(): number {
    return this.open.size;
  }

  get isFull(): boolean {
    return this.open.size >= MAX_OPEN_QUESTIONS;
  }

  /** Resolves when the last of the nodes has answered, or the time is over. */
  add(id: string, nodes: readonly string[], timeoutMs: number): Promise<Answers<unknown>> {
    return new Promise<Answers<unknown>>((settle) => {
      const timer = setTimeout(() => this.close(id), timeoutMs).unref();
      this.open.set(id, { received: new Map(), awaited: new Set(nodes), missing: [], timer, settle });
      if (nodes.length === 0) this.close(id);
    });
  }

  /** Answers that nobody waits for any more are dropped; those of nodes that were not known to be there count. */
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

  /** Whoever has not answered by now is missing. */
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
