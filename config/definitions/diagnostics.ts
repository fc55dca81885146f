import { integer, milliseconds, oneOf, optionalText } from '../setting.js';
import { checkWritableFolder } from '../writable-folder.js';

/** Diagnostics of a live node. */
export const diagnostics = {
  enabled: oneOf({
    env: 'DIAGNOSTICS_ENABLED',
    values: ['on', 'off'],
    fallback: 'on',
    effect: 'off: there is nothing under /api/diagnostics. HEAP_SNAPSHOT_PERCENT works either way.',
  }),
  heapSnapshots: oneOf({
    env: 'HEAP_SNAPSHOTS',
    values: ['auto', 'on', 'off'],
    fallback: 'auto',
    effect:
      'on: /api/diagnostics/heap-snapshot gives everything in memory, including keys and tokens, to callers with the role ADMIN. off: 403. auto: on, except in production.',
  }),
  heapSnapshotPauseMs: milliseconds({
    env: 'HEAP_SNAPSHOT_PAUSE_MS',
    fallback: 60_000,
    effect:
      'Shortest time between two heap snapshots, each of which stops the node for seconds. Sooner: 429. 0 = none.',
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
      'Folder for heap snapshots. Unset: snapshots of the API pass through the temporary folder of the system, and there are no automatic ones.',
  }),
  maxFiles: integer({
    env: 'DIAGNOSTICS_MAX_FILES',
    fallback: 3,
    min: 1,
    max: 1_000,
    unit: 'files',
    effect:
      'Heap snapshots in DIAGNOSTICS_DIR at which HEAP_SNAPSHOT_PERCENT stops writing, also after a restart, until you remove some.',
  }),
} as const;
