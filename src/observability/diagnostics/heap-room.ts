import { statfs } from 'node:fs/promises';
import { getHeapStatistics } from 'node:v8';

/** The room for a snapshot, in bytes. */
export interface Room {
  /** The used heap. */
  readonly heapBytes: number;
  /** Memory that the system, or the container, can still give the process. */
  readonly availableBytes: number;
  /** Free space on the disk. */
  readonly freeBytes: number;
}

/**
 * Memory beside the heap, and the size of the file, as multiples of the used heap. On Node 20 this server needs 1 to 5
 * times the memory and 0.6 to 1 times the disk. Heaps of 40 to 200 MB with only maps, strings or closures need 8 to 13
 * and up to 2.2.
 */
const MEMORY_SHARE = 8;
const FILE_SHARE = 2.2;
const MIB = 1_048_576;

/** What is missing for a snapshot; undefined if there is room. */
export type Shortage = { readonly of: 'memory' | 'disk'; readonly sentence: string };

/** @param folder where it will be written */
export async function roomIn(folder: string): Promise<Room> {
  const { bavail, bsize } = await statfs(folder);
  return {
    heapBytes: getHeapStatistics().used_heap_size,
    availableBytes: process.availableMemory(),
    freeBytes: bavail * bsize,
  };
}

export function shortageOf({ heapBytes, availableBytes, freeBytes }: Room): Shortage | undefined {
  const memory = heapBytes * MEMORY_SHARE;
  const file = heapBytes * FILE_SHARE;
  if (availableBytes < memory) return { of: 'memory', sentence: sentence('memory', memory, availableBytes) };
  if (freeBytes < file) return { of: 'disk', sentence: sentence('disk', file, freeBytes) };
  return undefined;
}

function sentence(what: string, needed: number, there: number): string {
  return `A heap snapshot takes about ${mebibytes(needed)} MiB of ${what}, and ${mebibytes(there)} MiB are free`;
}

function mebibytes(bytes: number): number {
  return Math.round(bytes / MIB);
}
