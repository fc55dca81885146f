import { totalmem } from 'node:os';
import { getHeapStatistics } from 'node:v8';

export interface HeapUse {
  readonly usedBytes: number;
  /** Share of the heap limit; the process ends when the heap is full. */
  readonly percent: number;
}

export function heapUse(): HeapUse {
  const { used_heap_size: usedBytes, heap_size_limit: limitBytes } = getHeapStatistics();
  return { usedBytes, percent: Math.round((usedBytes / limitBytes) * 100) };
}

export function heapLimitBytes(): number {
  return getHeapStatistics().heap_size_limit;
}

/** The memory that the process may use before the system or its container ends it. */
export function memoryLimitBytes(): number {
  const constrained = process.constrainedMemory();
  return constrained !== undefined && constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
}
