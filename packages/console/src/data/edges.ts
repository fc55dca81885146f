import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { EdgePage } from './answers.js';
import { usePoll, type Poll } from './poll.js';

/** Whether the cluster has had an edge node since this page was opened. */
export const hasEdges = signal(false);

export function useEdges(path: string | undefined, everyMs?: number): Poll<EdgePage> {
  const poll = usePoll<EdgePage>(path, everyMs);
  const isFound = (poll.data?.edges.length ?? 0) > 0;
  useEffect(() => {
    if (isFound) hasEdges.value = true;
  }, [isFound]);
  return poll;
}
