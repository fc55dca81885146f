import type { Readable } from 'node:stream';

/** What is handed to a caller as a file. */
export interface Download {
  readonly name: string;
  readonly bytes: number;
  /** To be read to its end or destroyed: what it stands on is given back then. */
  readonly content: Readable;
}

/** Says of which node it is and when it was taken, in order of time. */
export function fileName(nodeId: string, extension: string): string {
  const time = new Date().toISOString().replace(/[:.]/g, '-');
  return `gatehouse-${nodeId}-${time}.${extension}`;
}
