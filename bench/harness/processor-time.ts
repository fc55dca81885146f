import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';

/** proc(5) counts in clock ticks; the kernel scales them to the scheduler's exact runtime, so only rounding is lost. */
const microsecondsPerTick = 1_000_000 / clockTicks();

function clockTicks(): number {
  try {
    return Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
  } catch {
    return 100; // every Linux that Node supports, where getconf is not installed
  }
}

/** User and system time of all threads, in µs. */
export function processorMicroseconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * microsecondsPerTick;
}

/** The same to the nanosecond, where the kernel keeps it: for little time, and for programs that end no threads meanwhile. */
export function exactMicroseconds(pid: number): number {
  if (!existsSync(`/proc/${pid}/schedstat`)) return processorMicroseconds(pid);
  const threads = readdirSync(`/proc/${pid}/task`);
  const nanoseconds = threads.map((thread) =>
    Number.parseInt(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8'), 10),
  );
  return sum(nanoseconds) / 1_000;
}

export function residentBytes(pid: number): number {
  const line = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(line?.[1] ?? Number.NaN) * 1024;
}

/** Of all processes, in µs, with what the hypervisor took away; interrupts are nobody's. */
function everyonesMicroseconds(): number {
  const [total = ''] = readFileSync('/proc/stat', 'utf8').split('\n', 1);
  const [user = 0, nice = 0, system = 0, , , , , steal = 0] = total.split(/\s+/).slice(1).map(Number);
  return (user + nice + system + steal) * microsecondsPerTick;
}

/** A process and those that it has started, such as a primary and its workers. */
export function processesOf(pid: number): readonly number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
  return [pid, ...children.flatMap(processesOf)];
}

export interface ProcessorUse {
  readonly microseconds: number;
  /** The same of each measured process, in the order in which they were named. */
  readonly each: readonly number[];
  readonly elapsedMs: number;
  /** Shares of one core while measured, 0–1: the server's, the load's, and what other programs took on all cores. */
  readonly serverShare: number;
  readonly loadShare: number;
  readonly othersShare: number;
  /** Of each process that was named beside the servers, in µs. */
  readonly besides: readonly number[];
}

/**
 * Starts a measured window; the returned function ends it.
 *
 * @param servers the process that is measured, or several whose time is added up
 * @param besides processes that are neither the servers nor strangers, such as Redis
 */
export function startProcessorWindow(
  servers: number | readonly number[],
  besides: readonly number[] = [],
): () => ProcessorUse {
  const measured = [servers].flat();
  const before = measured.map(processorMicroseconds);
  const beside = besides.map(exactMicroseconds);
  const own = process.cpuUsage();
  const everyone = everyonesMicroseconds();
  const started = performance.now();
  return () => {
    const elapsedMs = performance.now() - started;
    const each = measured.map((pid, index) => processorMicroseconds(pid) - (before[index] ?? 0));
    const microseconds = sum(each);
    const besidesNow = besides.map((pid, index) => exactMicroseconds(pid) - (beside[index] ?? 0));
    const { user, system } = process.cpuUsage(own);
    const others = everyonesMicroseconds() - everyone - microseconds - sum(besidesNow) - user - system;
    return {
      microseconds,
      each,
      elapsedMs,
      serverShare: microseconds / (elapsedMs * 1_000),
      loadShare: (user + system) / (elapsedMs * 1_000),
      othersShare: Math.max(0, others) / (elapsedMs * 1_000),
      besides: besidesNow,
    };
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
