import { residentBytes } from '../harness/processor-time.js';
import type { Server } from './job.js';

const mib = 1024 * 1024;
/** What the server counts of an attack; by reason. */
const counters = [
  'websocket_connections_refused_total',
  'websocket_breaches_total',
  'gatehouse_http_cut_total',
  'websocket_connections_closed_total',
];

/** Memory of the server, looked at now and then. */
export class MemoryWatch {
  private readonly resident: number[] = [];
  private readonly heap: number[] = [];
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly server: Server) {}

  start(everyMs: number): void {
    this.timer = setInterval(() => void this.look(), everyMs);
  }

  stop(): void {
    clearInterval(this.timer);
  }

  get highestMib(): number {
    return Math.max(...this.resident);
  }

  /** A dozen moments, evenly spread. */
  toString(): string {
    const some = (values: readonly number[]): string =>
      Array.from({ length: 12 }, (_, part) => values[Math.floor((part * values.length) / 12)])
        .map((value) => (value === undefined ? '–' : Math.round(value)))
        .join(' ');
    return `memory of the server over the attack in MiB, resident: ${some(this.resident)}; heap in use: ${some(this.heap)}`;
  }

  private async look(): Promise<void> {
    this.resident.push(residentBytes(this.server.pid) / mib);
    const heap = /^nodejs_heap_size_used_bytes (\S+)/m.exec(await scrape(this.server))?.[1];
    if (heap !== undefined) this.heap.push(Number(heap) / mib);
  }
}

/** What the server has counted so far, by series. */
export async function countsOf(server: Server): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  for (const line of (await scrape(server)).split('\n')) {
    const [series = '', value] = line.split(' ');
    if (counters.some((name) => series.startsWith(`${name}{`))) counts.set(series, Number(value));
  }
  return counts;
}

/** By how much each has grown, in one line. */
export function growth(before: ReadonlyMap<string, number>, after: ReadonlyMap<string, number>): string {
  return [...after]
    .map(([series, value]): [string, number] => [series, value - (before.get(series) ?? 0)])
    .filter(([, grown]) => grown > 0)
    .map(([series, grown]) => `${/"(.*)"/.exec(series)?.[1] ?? series} ${grown}`)
    .join(', ');
}

async function scrape({ port }: Server): Promise<string> {
  const answer = await fetch(`http://127.0.0.1:${port}/metrics`).catch(() => undefined);
  return answer?.ok ? answer.text() : '';
}
