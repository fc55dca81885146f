import { graph, type Row } from './panels.js';
import { perSecond, quantile, rate, series, total } from './queries.js';

const saturation: Row = {
  title: 'Saturation',
  panels: [
    graph('Processor', {
      about: 'Cores used. One process uses one, and a little more for garbage collection and the network.',
      unit: 'percentunit',
      queries: { '{{instance}}': perSecond('process_cpu_seconds_total') },
    }),
    graph('Event-loop utilisation', {
      about: 'Share of the time in which the event loop was busy. At 100 % everything waits.',
      unit: 'percentunit',
      max: 1,
      queries: { '{{instance}}': series('gatehouse_event_loop_utilization_ratio') },
    }),
    graph('Event-loop lag', {
      about: 'How late one turn in a hundred begins. At half a second the node refuses new clients.',
      unit: 's',
      queries: { '{{instance}}': series('nodejs_eventloop_lag_p99_seconds') },
    }),
    graph('Memory', {
      about: 'Of the process, and what it may have.',
      unit: 'bytes',
      queries: {
        '{{instance}}': series('process_resident_memory_bytes'),
        limit: `min(${series('gatehouse_memory_limit_bytes')})`,
      },
    }),
    graph('Heap', {
      about: 'Used by objects; at the limit the process ends. External: buffers, not part of the heap.',
      unit: 'bytes',
      queries: {
        '{{instance}} used': series('nodejs_heap_size_used_bytes'),
        '{{instance}} external': series('nodejs_external_memory_bytes'),
        limit: `min(${series('gatehouse_heap_limit_bytes')})`,
      },
    }),
    graph('Garbage collection', {
      about: 'Share of the time in which objects were collected instead of messages handled, by kind.',
      unit: 'percentunit',
      stacked: true,
      queries: { '{{kind}}': rate('nodejs_gc_duration_seconds_sum', ['kind']) },
    }),
    graph('File descriptors', {
      about: 'Each connection is one.',
      unit: 'short',
      queries: {
        '{{instance}}': series('process_open_fds'),
        limit: `min(${series('process_max_fds')})`,
      },
    }),
    graph('Heap, by space', {
      about: 'What lives long is in `old`, large buffers and strings in `large_object`: a leak climbs in one of them.',
      unit: 'bytes',
      stacked: true,
      queries: { '{{space}}': total('nodejs_heap_space_size_used_bytes', ['space']) },
    }),
    graph('Places left', {
      about: 'Connections until MAX_CONNECTIONS, of all nodes.',
      unit: 'short',
      queries: { left: `${total('gatehouse_max_connections')} - ${total('websocket_active_connections')}` },
    }),
  ],
};

const records: Row = {
  title: 'Server API, logs, audit and traces',
  panels: [
    graph('Requests, by status', {
      about: 'Requests to the server API.',
      unit: 'reqps',
      stacked: true,
      queries: { '{{status}}': rate('gatehouse_api_requests_total', ['status']) },
    }),
    graph('Requests, by endpoint', {
      about: '`none`: no endpoint, or refused before.',
      unit: 'reqps',
      stacked: true,
      queries: { '{{route}}': rate('gatehouse_api_requests_total', ['route']) },
    }),
    graph('Lines left out', {
      about: 'Log lines and audit lines of which there were too many.',
      unit: 'ops',
      stacked: true,
      queries: {
        'log: {{kind}}': rate('gatehouse_log_lines_left_out_total', ['kind']),
        'audit: {{group}}': rate('gatehouse_audit_lines_left_out_total', ['group']),
      },
    }),
    graph('Lost', {
      about: 'Lines that the disk did not take, and spans that did not come to the collector.',
      unit: 'ops',
      queries: {
        'log writes failed: {{output}}': rate('gatehouse_log_write_failures_total', ['output']),
        'log lines lost: {{output}}': rate('gatehouse_log_lines_lost_total', ['output']),
        'audit writes failed': rate('gatehouse_audit_write_failures_total'),
        'audit lines lost': rate('gatehouse_audit_lines_lost_total'),
        'spans: {{reason}}': rate('gatehouse_spans_dropped_total', ['reason']),
      },
    }),
    graph('Heap snapshots', {
      about: 'Taken on request, or by itself when memory crossed its threshold; and those that were not taken.',
      unit: 'short',
      queries: {
        '{{cause}}': total('gatehouse_heap_snapshots_total', ['cause']),
        'not taken: {{reason}}': total('gatehouse_heap_snapshots_refused_total', ['reason']),
      },
    }),
    graph('Taps', {
      about:
        'Taps that the nodes watch for, and their lines in a second. Operators begin them; each ends after 10 minutes.',
      unit: 'short',
      queries: {
        '{{instance}}': series('gatehouse_taps'),
        'lines {{outcome}}': rate('gatehouse_tap_lines_total', ['outcome']),
      },
    }),
    graph('Ledger', {
      about: 'Entries that `GET /api/explain` can tell of.',
      unit: 'short',
      queries: { '{{instance}}': series('gatehouse_ledger_entries') },
    }),
  ],
};

const hooks: Row = {
  title: 'Back ends that hooks ask',
  panels: [
    graph('Requests to back ends', {
      about: 'Requests of hooks, by hook and outcome. Anything but ok and denied is a failure.',
      unit: 'reqps',
      stacked: true,
      queries: { '{{hook}} {{outcome}}': `${rate('gatehouse_hook_requests_total', ['hook', 'outcome'])} > 0` },
    }),
    graph('Time until a back end answers', {
      about: '95th percentile of the time until a back end has answered or failed.',
      unit: 's',
      queries: { '{{hook}}': quantile(0.95, 'gatehouse_hook_duration_seconds', ['hook']) },
    }),
    graph('Events dropped', {
      about: 'Events that a back end was never told of.',
      unit: 'ops',
      queries: { '{{reason}}': rate('gatehouse_hook_events_dropped_total', ['reason']) },
    }),
  ],
};

const outbox: Row = {
  title: 'The outbox in PostgreSQL',
  panels: [
    graph('Rows of the outbox', {
      about: 'Rows by outcome. Refused ones are in gatehouse_outbox_refused.',
      unit: 'ops',
      stacked: true,
      queries: { '{{outcome}}': rate('gatehouse_outbox_rows_total', ['outcome']) },
    }),
    graph('Age of the oldest row', {
      about: 'How long the oldest row has waited that is not published.',
      unit: 's',
      queries: { age: `max (${series('gatehouse_outbox_lag_seconds')})` },
    }),
    graph('Readers and failures of the outbox', {
      about: 'One node reads. Failures are attempts to read or publish.',
      unit: 'short',
      queries: {
        readers: `sum (${series('gatehouse_outbox_reading')})`,
        'failures a second': rate('gatehouse_outbox_failures_total'),
      },
    }),
  ],
};

const bridges: Row = {
  title: 'Bridges to Kafka and NATS',
  panels: [
    graph('Messages of brokers', {
      about: 'Messages that came from a topic or subject, by outcome.',
      unit: 'ops',
      stacked: true,
      queries: { '{{bridge}} {{outcome}}': rate('gatehouse_bridge_messages_total', ['bridge', 'outcome']) },
    }),
    graph('Publications for brokers', {
      about: 'Publications of namespaces with egress, by outcome. Dropped and refused ones are lost.',
      unit: 'ops',
      stacked: true,
      queries: {
        '{{destination}} {{outcome}}': rate('gatehouse_bridge_publications_total', ['destination', 'outcome']),
      },
    }),
    graph('Publications that wait for brokers', {
      about: 'Of each node. Beyond 10,000 the oldest are dropped.',
      unit: 'short',
      queries: { '{{broker}} {{instance}}': series('gatehouse_bridge_publications_waiting') },
    }),
    graph('Messages that wait in brokers', {
      about: 'Messages of a topic or stream that are not read yet, as the node saw them last that read one.',
      unit: 'short',
      queries: { '{{bridge}}': `max by (bridge) (${series('gatehouse_bridge_lag_messages')})` },
    }),
    graph('Connections and failures of bridges', {
      about: 'Nodes that are connected to the broker. Failures are attempts that are repeated.',
      unit: 'short',
      queries: {
        'connected to {{broker}}': `sum by (broker) (${series('gatehouse_bridge_connected')})`,
        'failures {{bridge}}': rate('gatehouse_bridge_failures_total', ['bridge']),
      },
    }),
  ],
};

const edge: Row = {
  title: 'Edge nodes',
  panels: [
    graph('Messages for the centre', {
      about: 'Messages of edge nodes, by outcome. Lost are those that expired, were dropped, refused or damaged.',
      unit: 'ops',
      stacked: true,
      queries: { '{{outcome}}': `${rate('gatehouse_edge_messages_total', ['outcome'])} > 0` },
    }),
    graph('Messages that wait', {
      about: 'Messages in the stores of edge nodes.',
      unit: 'short',
      queries: { '{{instance}}': series('gatehouse_edge_queued') },
    }),
    graph('Bytes that wait', {
      about: 'Bytes in the stores of edge nodes. `max_bytes` of the edge file is their bound.',
      unit: 'bytes',
      queries: { '{{instance}}': series('gatehouse_edge_queued_bytes') },
    }),
    graph('Time without the centre', {
      about: 'How long each edge node has not reached its centre.',
      unit: 's',
      queries: { '{{instance}}': series('gatehouse_edge_upstream_down_seconds') },
    }),
    graph('Publications of the centre', {
      about:
        'Publications in the mirrored channels of edge nodes, by outcome. After a gap, clients read what they need.',
      unit: 'ops',
      queries: { '{{outcome}}': `${rate('gatehouse_edge_mirrored_total', ['outcome'])} > 0` },
    }),
    graph('Connected edge nodes', {
      about: 'Edge nodes that are connected to each node of the centre.',
      unit: 'short',
      stacked: true,
      queries: { '{{instance}}': series('gatehouse_edge_connected') },
    }),
    graph('Messages that edges have lost', {
      about: 'At the centre: messages that edge nodes say will never arrive, by outcome.',
      unit: 'ops',
      queries: { '{{outcome}}': `${rate('gatehouse_edge_losses_total', ['outcome'])} > 0` },
    }),
    graph('Faults of stores', {
      about: 'Faults of the disk, the store and the clock of edge nodes.',
      unit: 'ops',
      queries: { '{{fault}}': `${rate('gatehouse_edge_store_faults_total', ['fault'])} > 0` },
    }),
  ],
};

export const resources: readonly Row[] = [saturation, records, hooks, outbox, bridges, edge];
