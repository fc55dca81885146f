import { graph, type Row } from './panels.js';
import { perSecond, series, total } from './queries.js';

/** Empty for a node that is one process. */
export const workers: Row = {
  title: 'Workers of a machine, and their primary',
  panels: [
    graph('Workers, by state', {
      about: 'Of all machines with WORKERS. Fewer that are ready: the others are starting, draining, full or ended.',
      unit: 'short',
      stacked: true,
      queries: { '{{state}}': total('gatehouse_workers', ['state']) },
    }),
    graph('Workers that ended', {
      about: 'Without being asked to, in the hour before. They are started again after a pause.',
      unit: 'short',
      queries: { '{{instance}}': `increase(${series('gatehouse_worker_failures_total')}[1h])` },
    }),
    graph('Sessions, by worker', {
      about: 'A worker that was just started has few: sessions never move to another one.',
      unit: 'short',
      queries: {
        '{{instance}} {{worker}}': `sum by (instance, worker) (${series('gatehouse_sessions', 'worker=~".+"')})`,
      },
    }),
    graph('Processor of the primary', {
      about:
        'Of one core. Without Redis, all that workers share passes through it, so it has to keep something in hand.',
      unit: 'percentunit',
      queries: { '{{instance}}': perSecond('process_cpu_seconds_total', 'worker="primary"') },
    }),
    graph('Memory of the primary', {
      about: 'Without Redis it keeps the histories, the state and the presence of the machine.',
      unit: 'bytes',
      queries: { '{{instance}}': series('process_resident_memory_bytes', 'worker="primary"') },
    }),
    graph('From the primary to its workers', {
      about: 'Bytes that workers have not read, and how often a connection was cut because they read too slowly.',
      unit: 'short',
      queries: {
        '{{instance}} bytes': series('gatehouse_worker_queue_bytes'),
        '{{instance}} cut': `increase(${series('gatehouse_worker_overruns_total')}[1h])`,
      },
    }),
  ],
};
