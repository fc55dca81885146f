import { Injectable } from '@nestjs/common';
import { getHeapSpaceStatistics, getHeapStatistics } from 'node:v8';
import { Registry } from 'prom-client';
import { VERSION } from '../../../config/version.js';
import { NodeRegistry } from '../../cluster/ports/node-registry.js';
import { LoadMeter } from '../../lifecycle/load-meter.js';
import { Readiness } from '../../lifecycle/readiness.js';
import type { SummaryAnswer } from './diagnostics.answers.js';
import { SessionRegistry } from '../../sessions/session-registry.js';
import type { Compression } from '../../socket/compression.js';
import { OutboundContext } from '../../socket/outbound-context.js';
import { EventLoopUtilization } from '../metrics/event-loop-utilization.js';
import { rounded } from './rounded.js';

/** prom-client observes garbage collections anyway. */
const COLLECTIONS = 'nodejs_gc_duration_seconds';

/** The memory, event loop, processor and sessions of the process. */
@Injectable()
export class ProcessReport {
  private readonly utilization = new EventLoopUtilization();

  constructor(
    private readonly registry: NodeRegistry,
    private readonly outbound: OutboundContext,
    private readonly sessions: SessionRegistry,
    private readonly meter: LoadMeter,
    private readonly readiness: Readiness,
    private readonly metrics: Registry,
  ) {}

  async read(): Promise<SummaryAnswer> {
    const { budget } = this.outbound;
    const { state, overload } = this.readiness;
    const processorTime = process.cpuUsage();
    return {
      nodeId: this.registry.self.nodeId,
      version: VERSION,
      nodeVersion: process.version,
      pid: process.pid,
      uptimeMs: Math.round(process.uptime() * 1_000),
      state: state.phase,
      overloadedBy: overload.sign,
      sessions: { open: this.sessions.size, queuedBytes: budget.waiting, slowReaders: budget.blockedQueues },
      processor: {
        share: this.meter.load.processor,
        userMs: Math.round(processorTime.user / 1_000),
        systemMs: Math.round(processorTime.system / 1_000),
      },
      eventLoop: {
        lagMs: distribution(this.meter.recentLagsMs),
        utilization: rounded(this.utilization.sinceLastRead()),
      },
      compression: compressionOf(this.outbound.compression),
      memory: memory(),
      heapSpaces: heapSpaces(),
      garbageCollections: await garbageCollections(this.metrics),
      resources: countOf(process.getActiveResourcesInfo()),
    };
  }
}

function compressionOf({ limits, isPaused, frames, bytes }: Compression): SummaryAnswer['compression'] {
  const { messagesFromBytes, listsFromBytes } = limits;
  const isOffered = messagesFromBytes > 0 || listsFromBytes > 0;
  return {
    state: !isOffered ? 'off' : isPaused ? 'paused' : 'on',
    messagesFromBytes,
    listsFromBytes,
    frames: { ...frames },
    bytesBefore: bytes.before,
    bytesAfter: bytes.after,
  };
}

function memory(): Record<string, number> {
  const { rss, external, arrayBuffers } = process.memoryUsage();
  const heap = getHeapStatistics();
  return {
    rssBytes: rss,
    // The system reports kilobytes.
    peakRssBytes: process.resourceUsage().maxRSS * 1_024,
    availableBytes: process.availableMemory(),
    heapUsedBytes: heap.used_heap_size,
    heapTotalBytes: heap.total_heap_size,
    heapLimitBytes: heap.heap_size_limit,
    externalBytes: external,
    arrayBufferBytes: arrayBuffers,
    mallocedBytes: heap.malloced_memory,
    nativeContexts: heap.number_of_native_contexts,
    detachedContexts: heap.number_of_detached_contexts,
  };
}

function heapSpaces(): SummaryAnswer['heapSpaces'] {
  return getHeapSpaceStatistics()
    .map(({ space_name: name, space_used_size: usedBytes, space_size: sizeBytes }) => ({ name, usedBytes, sizeBytes }))
    .sort((left, right) => right.usedBytes - left.usedBytes);
}

async function garbageCollections(metrics: Registry): Promise<SummaryAnswer['garbageCollections']> {
  const values = (await metrics.getSingleMetric(COLLECTIONS)?.get())?.values ?? [];
  const kinds = new Map<string, { count: number; totalMs: number }>();
  for (const { labels, value, metricName } of values as NamedValue[]) {
    const kind = String(labels.kind);
    const entry = kinds.get(kind) ?? { count: 0, totalMs: 0 };
    if (metricName === `${COLLECTIONS}_count`) entry.count = value;
    if (metricName === `${COLLECTIONS}_sum`) entry.totalMs = rounded(value * 1_000);
    kinds.set(kind, entry);
  }
  return [...kinds].map(([kind, entry]) => ({ kind, ...entry }));
}

/** The type of prom-client has no name, but each value of a histogram has one. */
interface NamedValue {
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
  readonly metricName: string;
}

function countOf(kinds: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const kind of kinds) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}

function distribution(values: readonly number[]): { p50: number; p99: number; max: number } {
  const sorted = [...values].sort((left, right) => left - right);
  const at = (share: number): number => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
  return { p50: at(0.5), p99: at(0.99), max: at(1) };
}
