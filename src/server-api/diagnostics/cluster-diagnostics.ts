import { Injectable } from '@nestjs/common';
import type { Readable } from 'node:stream';
import { NodeRegistry } from '../../cluster/ports/node-registry.js';
import type { HandlersAnswer, SummaryAnswer } from './diagnostics.answers.js';
import { ProblemError } from '../http/problem.js';
import type { QueuesAnswer } from './queues.answer.js';

/** What is handed to a caller as a file. */
export interface Download {
  readonly name: string;
  readonly bytes: number;
  /** To be read to its end or destroyed: what it stands on is given back then. */
  readonly content: Readable;
}

/** Of what the processor does, or of what is allocated and stays. */
export type ProfileKind = 'cpu' | 'heap';

/** What can be found out about this node. It is done by a stage that sees all others. */
export interface Diagnostics {
  summary(): Promise<SummaryAnswer>;

  /** @param limit how many are listed of each kind */
  handlers(limit: number): HandlersAnswer;

  queues(limit: number): Promise<QueuesAnswer>;

  /** @throws ProblemError 403, 409, 429 or 507 */
  heapSnapshot(): Promise<Download>;

  /**
   * @param gone aborted when nobody waits for it any more
   * @throws ProblemError 409
   */
  profile(kind: ProfileKind, seconds: number, gone: AbortSignal): Promise<Download>;
}

/** Where the API asks for diagnostics: of this node alone, for none of it travels between nodes. */
@Injectable()
export class ClusterDiagnostics {
  private diagnostics: Diagnostics | undefined;

  constructor(private readonly registry: NodeRegistry) {}

  /** Whoever asks is served by these from now on. */
  serveBy(diagnostics: Diagnostics): void {
    this.diagnostics = diagnostics;
  }

  /**
   * @param nodeId the node that is meant; absent: the one that answers
   * @throws ProblemError 404 or 421 where it is another one
   */
  of(nodeId: string | undefined): Diagnostics {
    const { self, nodes } = this.registry;
    if (nodeId !== undefined && nodeId !== self.nodeId) {
      const meant = nodes.find((node) => node.nodeId === nodeId);
      if (meant === undefined) throw new ProblemError(404, 'No such node');
      throw new ProblemError(
        421,
        `This is ${self.nodeId}. Ask ${meant.nodeId} itself, on its own address or INTERNAL_PORT; its clients are at ${meant.url}`,
      );
    }
    if (this.diagnostics === undefined) throw new ProblemError(503, 'The node is starting');
    return this.diagnostics;
  }
}
