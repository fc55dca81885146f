import { figure, graph, heatmap, type Row } from './panels.js';
import { buckets, perSecond, quantile, quantiles, rate, series, total } from './queries.js';

const ATTEMPTS = `${rate('websocket_connections_opened_total')} + (${rate('websocket_connections_refused_total')} or vector(0))`;

const overview: Row = {
  title: 'At a glance',
  panels: [
    figure('Nodes ready', {
      about: 'Nodes that take clients.',
      unit: 'short',
      limits: [2, 1],
      queries: { ready: total('gatehouse_node_state', [], 'state="ready"') },
    }),
    figure('Connections', {
      about: 'Open sessions.',
      unit: 'short',
      queries: { open: total('websocket_active_connections') },
    }),
    figure('Messages out', {
      about: 'Messages queued for clients, one a receiver.',
      unit: 'ops',
      queries: { out: rate('websocket_messages_sent_total') },
    }),
    figure('99 % of messages are handled within', {
      about: 'From the arrival of a message to its answer.',
      unit: 's',
      limits: [0.5, 1],
      queries: { '99 %': quantile(0.99, 'websocket_message_processing_time_seconds') },
    }),
    figure('Connections refused', {
      about: 'Upgrades refused, of all attempts.',
      unit: 'percentunit',
      limits: [0.05, 0.5],
      queries: { refused: `(${rate('websocket_connections_refused_total')} or vector(0)) / (${ATTEMPTS})` },
    }),
    figure('Redis', {
      about: 'Nodes that reach Redis, of all that use one. Empty where none is used.',
      unit: 'percentunit',
      limits: [1, 0.99],
      queries: { up: `avg(${series('websocket_redis_up')})` },
    }),
  ],
};

const connections: Row = {
  title: 'Connections',
  panels: [
    graph('Open connections', {
      about: 'Sessions on each node. Uneven ones are a matter of the balancer.',
      unit: 'short',
      stacked: true,
      queries: { '{{instance}}': series('websocket_active_connections') },
    }),
    graph('Opened and closed', {
      about: 'A storm is seen here first: opened, or refused beside it.',
      unit: 'cps',
      queries: {
        opened: rate('websocket_connections_opened_total'),
        closed: rate('websocket_connections_closed_total'),
      },
    }),
    graph('Refused, by reason', {
      about: 'Upgrades refused, by the reasons of the ladder of refusals in docs/protocol.md.',
      unit: 'cps',
      stacked: true,
      queries: { '{{reason}}': rate('websocket_connections_refused_total', ['reason']) },
    }),
    graph('Closed, by code', {
      about: '1006: no close frame came. 1012: a drain. 4001: too fast. 4008: read too slowly.',
      unit: 'cps',
      stacked: true,
      queries: { '{{code}}': rate('websocket_connections_closed_total', ['code']) },
    }),
    graph('Lifetime of connections', {
      about: 'How long the connections lasted that were closed.',
      unit: 's',
      queries: quantiles('websocket_connection_duration_seconds'),
    }),
    graph('Subprotocols', {
      about: 'Sessions by the subprotocol that they speak.',
      unit: 'short',
      stacked: true,
      queries: { '{{protocol}}': total('gatehouse_sessions', ['protocol']) },
    }),
  ],
};

const messages: Row = {
  title: 'Messages',
  panels: [
    graph('In, by type', {
      about: 'Messages received. Types that nothing is registered for are `unknown`.',
      unit: 'ops',
      stacked: true,
      queries: { '{{type}}': rate('websocket_messages_received_total', ['type']) },
    }),
    graph('Out, by type', {
      about: 'Messages queued for clients, one a receiver.',
      unit: 'ops',
      stacked: true,
      queries: { '{{type}}': rate('websocket_messages_sent_total', ['type']) },
    }),
    graph('Errors, by code', {
      about: 'Errors answered. INTERNAL_ERROR, TIMEOUT, UPSTREAM_UNAVAILABLE, SERVER_BUSY and NOT_REPLICATED are ours.',
      unit: 'ops',
      stacked: true,
      queries: { '{{code}}': rate('websocket_errors_total', ['code']) },
    }),
    graph('Bytes', {
      about: 'Payloads in, frames out, and what the network carries of both: headers, TLS and compression included.',
      unit: 'Bps',
      queries: {
        'payload in': rate('websocket_bytes_received_total'),
        'frames out': rate('websocket_bytes_sent_total'),
        'network {{direction}}': rate('websocket_network_bytes_total', ['direction']),
      },
    }),
    heatmap('Sizes in', {
      about: 'Sizes of messages received.',
      unit: 'bytes',
      queries: { '{{le}}': buckets('websocket_message_size_bytes', 'direction="in"') },
    }),
    heatmap('Sizes out', {
      about: 'Sizes of messages sent; a message for many counts once an encoding.',
      unit: 'bytes',
      queries: { '{{le}}': buckets('websocket_message_size_bytes', 'direction="out"') },
    }),
  ],
};

const latency: Row = {
  title: 'Latency',
  panels: [
    graph('Handlers', {
      about: 'From the arrival of a message to its answer.',
      unit: 's',
      queries: quantiles('websocket_message_processing_time_seconds'),
    }),
    heatmap('Handlers, distribution', {
      about: 'The same. A second band above the first is often one type, or one back end.',
      unit: 's',
      queries: { '{{le}}': buckets('websocket_message_processing_time_seconds') },
    }),
    graph('Slowest handlers', {
      about: 'What 99 % of the messages of a type take at most, of the five slowest types.',
      unit: 's',
      queries: { '{{type}}': `topk(5, ${quantile(0.99, 'websocket_message_processing_time_seconds', ['type'])})` },
    }),
    graph('Network to clients', {
      about: 'From ping to pong: the network, and clients that are busy.',
      unit: 's',
      queries: quantiles('websocket_heartbeat_rtt_seconds'),
    }),
    graph('Time spent, by type', {
      about: 'Seconds of handlers a second, waiting included: who the node works for.',
      unit: 'short',
      stacked: true,
      queries: { '{{type}}': rate('websocket_message_processing_time_seconds_sum', ['type']) },
    }),
    graph('Mean size', {
      about: 'Bytes of a message.',
      unit: 'bytes',
      queries: {
        '{{direction}}': `${rate('websocket_message_size_bytes_sum', ['direction'])} / ${rate('websocket_message_size_bytes_count', ['direction'])}`,
      },
    }),
  ],
};

const queues: Row = {
  title: 'Queues and losses',
  panels: [
    graph('Waiting for slow readers', {
      about: 'At 90 % of OUTBOUND_BUDGET_BYTES a node refuses new clients, at 100 % the slowest readers are cut off.',
      unit: 'bytes',
      queries: {
        '{{instance}}': series('websocket_outbound_queue_bytes'),
        budget: `min(${series('gatehouse_outbound_budget_bytes')})`,
      },
    }),
    graph('Incomplete messages', {
      about: 'Bytes of messages that have not come to their end.',
      unit: 'bytes',
      queries: {
        '{{instance}}': series('websocket_inbound_bytes'),
        budget: `min(${series('gatehouse_inbound_budget_bytes')})`,
      },
    }),
    graph('Compression', {
      about: 'Bytes of compressed frames before and after, each once for all its receivers.',
      unit: 'Bps',
      queries: { '{{stage}}': rate('gatehouse_compression_bytes_total', ['stage']) },
    }),
    graph('Frames long enough to compress', {
      about: '`incompressible` does not shrink by a tenth; `busy` left as it was because the process was busy.',
      unit: 'ops',
      stacked: true,
      queries: { '{{outcome}}': rate('gatehouse_compression_frames_total', ['outcome']) },
    }),
    graph('Dropped, by reason', {
      about: 'Frames. `slow_consumer` and `node_budget` went with their reader; the others as a namespace wants it.',
      unit: 'ops',
      stacked: true,
      queries: { '{{reason}}': rate('websocket_dropped_messages_total', ['reason']) },
    }),
    graph('Waiting and dropped, by priority', {
      about: 'Publications that waited for slow readers, if a namespace has a `priority`.',
      unit: 'ops',
      queries: {
        'waited: {{priority}}': rate('gatehouse_priority_frames_held_total', ['priority']),
        'dropped: {{priority}}': rate('gatehouse_priority_frames_dropped_total', ['priority']),
      },
    }),
    graph('Messages not handled, by reason', {
      about: 'They came whole and were dropped with their connection.',
      unit: 'ops',
      stacked: true,
      queries: { '{{reason}}': rate('gatehouse_messages_unhandled_total', ['reason']) },
    }),
    graph('Answers not sent', {
      about: 'Replies and errors whose connection had closed.',
      unit: 'ops',
      queries: { '{{instance}}': perSecond('gatehouse_answers_unsent_total') },
    }),
    graph('Recoveries', {
      about: 'Subscribes with `since`: `gap` where something was lost for the client.',
      unit: 'ops',
      stacked: true,
      queries: { '{{result}}': rate('websocket_recoveries_total', ['result']) },
    }),
    graph('Repeats answered', {
      about: 'Protected messages that came again and were answered as the first time.',
      unit: 'ops',
      stacked: true,
      queries: { '{{type}}': rate('websocket_repeats_answered_total', ['type']) },
    }),
    graph('Connections that are no session', {
      about: 'On their way to one, or of HTTP.',
      unit: 'short',
      queries: {
        '{{instance}}': series('gatehouse_http_connections'),
        limit: `min(${series('gatehouse_max_http_connections')})`,
      },
    }),
  ],
};

const state: Row = {
  title: 'State channels',
  panels: [
    graph('Changes, by result', {
      about: 'Changes of keys. `unchanged` are not sent to anybody; `failed` are ours: the store could not be reached.',
      unit: 'ops',
      stacked: true,
      width: 6,
      queries: { '{{result}}': rate('gatehouse_state_changes_total', ['result']) },
    }),
    graph('Whole states sent, by cause', {
      about: 'At a subscribe, in place of a gap, or to a reader that was too slow for thousands of changes.',
      unit: 'ops',
      stacked: true,
      width: 6,
      queries: { '{{cause}}': rate('gatehouse_state_snapshots_total', ['cause']) },
    }),
    graph('Changes joined for slow readers', {
      about: 'Publications that a slow reader got together with later ones, with `delivery: latest`.',
      unit: 'ops',
      width: 6,
      queries: { '{{instance}}': perSecond('gatehouse_state_conflated_total') },
    }),
    graph('Keys', {
      about: 'In channels with subscribers on the node. Each is in its memory.',
      unit: 'short',
      width: 6,
      queries: { '{{instance}}': series('gatehouse_state_keys') },
    }),
  ],
};

export const traffic: readonly Row[] = [overview, connections, messages, latency, queues, state];
