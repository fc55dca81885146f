import type { Readable } from 'node:stream';

/** A file for the caller. */
export interface Download {
  readonly name: string;
  readonly bytes: number;
  /** Read it to its end or destroy it; both release its resources. */
  readonly content: Readable;
}

/** The name has the node and the time, so that files sort by time. */
export function fileName(nodeId: string, extension: string): string {
  const time = new Date().toISOString().replace(/[:.]/g, '-');
  return `gatehouse-${nodeId}-${time}.${extension}`;
}
