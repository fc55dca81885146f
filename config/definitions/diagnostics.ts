import { integer, milliseconds, oneOf, optionalText } from '../setting.js';
import { checkWritableFolder } from '../writable-folder.js';

/** Looking into a live node. */
export const diagnostics = {
  enabled: oneOf({
    env: 'DIAGNOSTICS_ENABLED',
    values: ['on', 'off'],
    fallback: 'on',
    effect: 'off: there is nothing under /api/diagnostics. HEAP_SNAPSHOT_PERCENT is obeyed either way.',
  }),
  heapSnapshots: oneOf({
    env: 'HEAP_SNAPSHOTS',
    values: ['auto', 'on', 'off'],
    fallback: 'auto',
    effect:
      'on: /api/diagnostics/heap-snapshot hands all that is in memory to whoever has the role ADMIN, keys and tokens included. off: 403. auto: on, but not in production.',
  }),
  heapSnapshotPauseMs: milliseconds({
    env: 'HEAP_SNAPSHOT_PAUSE_MS',
    fallback: 60_000,
    effect: 'Least time between two heap snapshots, each of which holds the node up; sooner 429. 0 = none.',
  }),
  heapSnapshotPercent: integer({
    env: 'HEAP_SNAPSHOT_PERCENT',
    fallback: 0,
    unit: 'percent',
    max: 99,
    effect:
      'Share of the heap limit at which the process writes a heap snapshot into DIAGNOSTICS_DIR, once in its life. 0 = never.',
  }),
  folder: optionalText({
    env: 'DIAGNOSTICS_DIR',
    unit: 'path',
    check: checkWritableFolder,
    effect:
      'Where heap snapshots are written. Unset: those of the API pass through the temporary folder of the system, and there are no others.',
  }),
  maxFiles: integer({
    env: 'DIAGNOSTICS_MAX_FILES',
    fallback: 3,
    min: 1,
    max: 1_000,
    unit: 'files',
    effect:
      'Heap snapshots in DIAGNOSTICS_DIR beyond which HEAP_SNAPSHOT_PERCENT writes no more, also after a restart, until somebody has taken some away.',
  }),
} as const;
