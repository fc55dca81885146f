import { getHeapStatistics } from 'node:v8';

export interface HeapUse {
  readonly usedBytes: number;
  /** Of the limit beyond which the process ends. */
  readonly percent: number;
}

export function heapUse(): HeapUse {
  const { used_heap_size: usedBytes, heap_size_limit: limitBytes } = getHeapStatistics();
  return { usedBytes, percent: Math.round((usedBytes / limitBytes) * 100) };
}
