import type { ProcessorUse } from '../harness/processor-time.js';
import type { DialectName } from './dialects.js';
import type { TokenKey } from './token.js';

/** What a client has to know to get in. */
export interface ServerAccess {
  readonly port: number;
  readonly dialect: DialectName;
  readonly tokenKey: TokenKey;
}

/** What every load is told about the server under it. */
export interface Server extends ServerAccess {
  /** Of the peer. */
  readonly name: string;
  readonly pid: number;
  /** Whether SIGUSR2 makes it collect its garbage. */
  readonly collectsOnSignal: boolean;
  /** Where it tells the longest turn of its event loop; null where it is not watched. */
  readonly loopMonitorPort: number | null;
  /** Where it runs on Redis. */
  readonly cluster?: Cluster;
}

export interface RedisPlace {
  readonly port: number;
  readonly pid: number;
}

/** What belongs to a server that runs on Redis. */
export interface Cluster {
  /** The nodes beside this one. */
  readonly others: readonly Server[];
  readonly redis: RedisPlace;
}

export interface Timing {
  readonly warmUpMs: number;
  readonly windowMs: number;
}

/** One figure of one run. `measure` is its line in the table. */
export interface Reading {
  readonly measure: string;
  readonly value: number;
  readonly perSecond?: number;
  readonly use?: ProcessorUse;
}

export interface LoadReport {
  readonly readings: readonly Reading[];
  readonly remarks: readonly string[];
  /** Why the run does not count; null when it does. */
  readonly invalid: string | null;
}

/**
 * Body of every load process: the job comes as the one argument, the report leaves as one line of stdout.
 * `never`, because each load names its own job; the case that starts it wrote the JSON from that very type.
 */
export async function runLoad(perform: (job: never) => Promise<LoadReport>): Promise<void> {
  let report: LoadReport;
  try {
    report = await perform(JSON.parse(process.argv[2] ?? '{}') as never);
  } catch (error) {
    report = { readings: [], remarks: [], invalid: error instanceof Error ? error.message : String(error) };
  }
  process.stdout.write(`${JSON.stringify(report)}\n`, () => process.exit(0));
}
